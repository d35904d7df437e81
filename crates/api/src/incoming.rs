//! From what arrived on the wire to an action and its parameters, and who claims to have sent them.

use acs::{Claim, decode_parameters, v1, v3};

use crate::{Action, ApiError, Format, Given, VERSION, action, faults};

/// A request as it arrived, without transfer coding.
#[derive(Clone, Debug, Default)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// The path, as it came.
    pub path: String,
    /// The query, as it came; empty where there is none.
    pub query: String,
    /// Header names in lower case, and their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.trim())
    }

    /// How this request wants its answer: needed for the answer to an unreadable one, too.
    ///
    /// Version 3 is always answered in JSON. Version 1 names a `Format`; where it names none that is known, XML
    /// is the documented default.
    #[must_use]
    pub fn format(&self) -> Format {
        if self.is_v3() {
            return Format::Json;
        }
        let body = std::str::from_utf8(&self.body).unwrap_or_default();
        let named =
            self.query.split('&').chain(body.split('&')).find_map(|pair| pair.strip_prefix("Format="));
        match named {
            Some(named) if named.eq_ignore_ascii_case("json") => Format::Json,
            _ => Format::Xml,
        }
    }

    /// The host that was asked for, as an error answers it.
    #[must_use]
    pub fn host(&self) -> &str {
        self.header("host").unwrap_or_default()
    }

    fn is_v3(&self) -> bool {
        self.header("authorization").is_some_and(|value| value.starts_with("ACS3-"))
    }

    fn is_form(&self) -> bool {
        let media_type = self.header("content-type").and_then(|value| value.split(';').next());
        media_type.is_some_and(|name| name.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    }
}

/// A request, read: an action, its parameters, and a claim that is yet to be verified.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Who claims to have sent it.
    pub claim: Claim,
    action: Option<String>,
    version: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Incoming {
    /// Reads a request.
    ///
    /// Each scheme names action and version where it signs them: version 3 in headers, version 1 in parameters.
    /// Parameters may be in the query, in a form body, or in both.
    ///
    /// # Errors
    /// A method, body, encoding or signature that is not of either scheme; a parameter that comes twice.
    pub fn read(request: &HttpRequest) -> Result<Self, ApiError> {
        if !matches!(request.method.as_str(), "GET" | "POST") {
            return Err(faults::UNSUPPORTED_METHOD.into());
        }
        let query = decode_parameters(&request.query)?;
        let form = if request.body.is_empty() {
            Vec::new()
        } else if request.is_form() {
            let body = std::str::from_utf8(&request.body).map_err(|_| faults::INVALID_ENCODING)?;
            decode_parameters(body)?
        } else {
            return Err(faults::UNSUPPORTED_CONTENT_TYPE.into());
        };
        if request.is_v3() {
            let signed = v3::Request {
                method: &request.method,
                path: &request.path,
                query: &query,
                headers: &request.headers,
                body: &request.body,
            };
            let claim = v3::claim(&signed)?;
            let header = |name| request.header(name).filter(|value| !value.is_empty()).map(str::to_owned);
            let (action, version) = (header("x-acs-action"), header("x-acs-version"));
            return Self { claim, action, version, parameters: query }.join(form);
        }
        let mut parameters = query;
        parameters.extend(form);
        let claim = v1::claim(&request.method, &parameters)?;
        let named = |name: &str| {
            let found = parameters.iter().find(|(found, value)| found == name && !value.is_empty());
            found.map(|(_, value)| value.clone())
        };
        let (action, version) = (named("Action"), named("Version"));
        Self { claim, action, version, parameters }.join(Vec::new())
    }

    fn join(mut self, form: Vec<(String, String)>) -> Result<Self, ApiError> {
        self.parameters.extend(form);
        self.parameters.sort();
        match self.parameters.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(acs::Error::Duplicate { name: pair[0].0.chars().take(64).collect() }.into()),
            None => Ok(self),
        }
    }

    /// The action that is asked for.
    ///
    /// # Errors
    /// It is not named, it does not exist, or the version is another one.
    pub fn action(&self) -> Result<&'static Action, ApiError> {
        let version = self.version.as_deref().ok_or(faults::MISSING_VERSION)?;
        if version != VERSION {
            return Err(faults::INVALID_VERSION.into());
        }
        let name = self.action.as_deref().ok_or(faults::MISSING_ACTION)?;
        action(name).ok_or_else(|| faults::INVALID_ACTION_NOT_FOUND.into())
    }

    /// A parameter as it was given.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The parameters, to read a call from.
    #[must_use]
    pub fn given(&self) -> Given<'_> {
        self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}
