//! A file of settings in TOML.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use serde::Deserialize;

use crate::size::parse_bytes;

/// What a file says; options of these names say the same.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SettingsFile {
    pub(crate) ingest_token: Option<String>,
    pub(crate) admin_token: Option<String>,
    pub(crate) push_domains: Vec<String>,
    pub(crate) push_from: Vec<String>,
    /// Each as `DOMAIN=KEY`.
    pub(crate) push_keys: Vec<String>,
    pub(crate) push_validity: Option<u64>,
    pub(crate) proxy_from: Vec<String>,
    pub(crate) default_domain: Option<String>,
    pub(crate) second_publisher: Option<SecondPublisher>,
    spool_limit: Option<String>,
    pub(crate) max_connections: Option<NonZeroUsize>,
    pub(crate) max_connections_per_address: Option<NonZeroUsize>,
}

impl SettingsFile {
    /// # Errors
    ///
    /// It cannot be read, or is no such file. The error says where, and nothing of what is there but a setting's name.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
        toml::from_str(&text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
            // Any other message may show a value.
            let is_name = error.message().starts_with("unknown field");
            let reason = if is_name { error.message() } else { "it is no setting with a value of its kind" };
            anyhow!("line {line} of {name} cannot be used: {reason}")
        })
    }

    pub(crate) fn spool_limit(&self) -> Result<Option<u64>> {
        let bytes = self.spool_limit.as_deref().map(parse_bytes).transpose();
        bytes.map_err(|error| anyhow!("spool_limit in the file of --settings cannot be used: {error}"))
    }
}

/// A setting that stands in one place at most: which of two counts, nobody has to remember.
pub(crate) fn one<T: Clone>(name: &str, given: Option<&T>, in_file: &Option<T>) -> Result<Option<T>> {
    match (given, in_file) {
        (Some(_), Some(_)) => bail!(
            "{name} is in the file of --settings, and is set beside it as well: by an option, by the environment, or \
             for `up` by the functions' variables"
        ),
        (given, in_file) => Ok(given.or(in_file.as_ref()).cloned()),
    }
}

/// What becomes of a publisher of a stream that another one is publishing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SecondPublisher {
    /// It is refused.
    #[default]
    Refuse,
    /// It takes the stream over, and the first one's connection is ended.
    Takeover,
}

impl From<SecondPublisher> for gateway::SecondPublisher {
    fn from(second: SecondPublisher) -> Self {
        match second {
            SecondPublisher::Refuse => Self::Refuse,
            SecondPublisher::Takeover => Self::Takeover,
        }
    }
}
