//! Requests, typed: from parameters as text to checked values.
//!
//! A [`Typed`] parameter is its row and the Rust type that its value becomes. A request names each of its fields once,
//! with the parameter that the field is read from; a field of another type or another name does not compile.

use std::collections::BTreeMap;

use rules::OnDemand;

use crate::parameter::MAX_VALUE_BYTES;
use crate::words::{self, Words};
use crate::{ApiError, Fault, Kind, Outside, Parameter, Presence, Text};

/// The parameters that were given, by name, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> FromIterator<(&'a str, &'a str)> for Given<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl<'a> Given<'a> {
    /// The items of a list, in the order of their numbers, each with its fields; gaps in the numbers are tolerated.
    ///
    /// None where a name begins like an item and is none.
    fn items(&self, name: &str) -> Option<BTreeMap<u32, Given<'a>>> {
        let mut items: BTreeMap<u32, Given<'a>> = BTreeMap::new();
        for (key, value) in &self.0 {
            let Some(rest) = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) else { continue };
            let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
            // No sign, no leading zero: one number, one spelling.
            let number: u32 = number.parse().ok().filter(|n: &u32| *n > 0 && n.to_string() == number)?;
            items.entry(number).or_default().0.insert(field, value);
        }
        Some(items)
    }
}

/// What is read from parameters: a request, or one item of a list of objects.
pub trait Parameters: Sized {
    /// The parameters. Any other one is ignored.
    const PARAMETERS: &'static [Parameter];

    /// Reads and checks them.
    ///
    /// # Errors
    /// The first parameter, in the order of the table, that is absent or wrong.
    fn read(given: &Given<'_>) -> Result<Self, ApiError>;
}

/// How the value of a parameter is found among those given; none where the parameter is absent.
type Find<T> = fn(&Parameter, &Given<'_>) -> Result<Option<T>, ApiError>;

/// A parameter that has a value in every request, given or by default.
pub(crate) struct Typed<T> {
    parameter: Parameter,
    find: Find<T>,
}

/// A parameter that may be absent.
pub(crate) struct Optional<T> {
    typed: Typed<T>,
    /// It counts only beside this parameter with this value, and is not looked at beside another one.
    beside: Option<(&'static str, &'static str)>,
}

impl<T> Typed<T> {
    const fn new(name: &'static str, kind: Kind, summary: &'static str, find: Find<T>) -> Self {
        let presence = Presence::Required;
        Self { parameter: Parameter { name, kind, presence, summary, malformed: None, empty: None }, find }
    }

    /// The same, which may be absent.
    pub(crate) const fn optional(&self) -> Optional<T> {
        let parameter = Parameter { presence: Presence::Optional, ..self.parameter };
        Optional { typed: Self { parameter, find: self.find }, beside: None }
    }

    /// The same, which counts as this value, as it would be written on the wire, where it is absent.
    pub(crate) const fn defaults_to(&self, value: &'static str) -> Self {
        Self {
            parameter: Parameter { presence: Presence::Default(value), ..self.parameter },
            find: self.find,
        }
    }

    /// The same, with an error of its own for a wrong value.
    pub(crate) const fn or(&self, malformed: Fault) -> Self {
        Self { parameter: Parameter { malformed: Some(malformed), ..self.parameter }, find: self.find }
    }

    /// The same, with an error of its own for an empty value.
    pub(crate) const fn or_if_empty(&self, empty: Fault) -> Self {
        Self { parameter: Parameter { empty: Some(empty), ..self.parameter }, find: self.find }
    }

    /// The same, that means something else.
    pub(crate) const fn meaning(&self, summary: &'static str) -> Self {
        Self { parameter: Parameter { summary, ..self.parameter }, find: self.find }
    }

    pub(crate) const fn parameter(&self) -> Parameter {
        self.parameter
    }

    pub(crate) fn read(&self, given: &Given<'_>) -> Result<T, ApiError> {
        let parameter = &self.parameter;
        let mut value = (self.find)(parameter, given)?;
        if let (None, Presence::Default(text)) = (&value, parameter.presence) {
            value = (self.find)(parameter, &Given::from_iter([(parameter.name, text)]))?;
        }
        value.ok_or_else(|| ApiError::missing(parameter.name))
    }
}

impl<T> Optional<T> {
    /// The same, which is ignored where another parameter has another value.
    pub(crate) const fn beside(&self, name: &'static str, value: &'static str) -> Self {
        let Typed { parameter, find } = self.typed;
        Self { typed: Typed { parameter, find }, beside: Some((name, value)) }
    }

    pub(crate) const fn parameter(&self) -> Parameter {
        self.typed.parameter
    }

    pub(crate) fn read(&self, given: &Given<'_>) -> Result<Option<T>, ApiError> {
        let is_other = |(name, value)| given.0.get(name).is_some_and(|given| *given != value);
        if self.beside.is_some_and(is_other) {
            return Ok(None);
        }
        (self.typed.find)(&self.typed.parameter, given)
    }
}

impl Typed<String> {
    pub(crate) const fn text(name: &'static str, text: Text, summary: &'static str) -> Self {
        Self::new(name, Kind::Text(text), summary, |parameter, given| {
            let Kind::Text(kind) = parameter.kind else { return Ok(None) };
            scalar(parameter, given, |text| kind.fits(text).then(|| text.into()))
        })
    }
}

impl Typed<u32> {
    pub(crate) const fn integer(
        name: &'static str,
        (min, max): (u32, u32),
        outside: Outside,
        summary: &'static str,
    ) -> Self {
        Self::new(name, Kind::Integer { min, max, outside }, summary, |parameter, given| {
            let Kind::Integer { min, max, outside } = parameter.kind else { return Ok(None) };
            scalar(parameter, given, |text| {
                let number = whole(text)?;
                let nearest = number.clamp(min.into(), max.into());
                (nearest == number || outside == Outside::Clamped).then(|| u32::try_from(nearest).ok())?
            })
        })
    }
}

impl Typed<OnDemand> {
    pub(crate) const fn on_demand(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, Kind::OneOf(&words::ON_DEMAND), summary, |parameter, given| {
            scalar(parameter, given, |text| words::on_demand(whole(text)?))
        })
    }
}

impl Typed<bool> {
    pub(crate) const fn boolean(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, Kind::Boolean, summary, |parameter, given| {
            scalar(parameter, given, |text| match text {
                _ if text.eq_ignore_ascii_case("true") => Some(true),
                _ if text.eq_ignore_ascii_case("false") => Some(false),
                _ => None,
            })
        })
    }
}

/// Seconds since 1970.
impl Typed<u64> {
    pub(crate) const fn time(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, Kind::Time, summary, |parameter, given| {
            scalar(parameter, given, |text| acs::time::parse(text).ok())
        })
    }
}

impl<T: Words> Typed<T> {
    pub(crate) const fn choice(name: &'static str, summary: &'static str) -> Self {
        Self::new(name, Kind::Choice(T::WORDS), summary, |parameter, given| {
            scalar(parameter, given, T::from_word)
        })
    }
}

impl Typed<Vec<String>> {
    pub(crate) const fn list(name: &'static str, item: Text, max: usize, summary: &'static str) -> Self {
        Self::new(name, Kind::List { item, max }, summary, |parameter, given| {
            let Kind::List { item, max } = parameter.kind else { return Ok(None) };
            items(parameter, given, max, |fields| {
                let text = fields.0.get("").copied().unwrap_or_default();
                let fits = text.len() <= MAX_VALUE_BYTES && item.fits(text);
                if fits { Ok(text.into()) } else { Err(malformed(parameter)) }
            })
        })
    }
}

impl<T: Parameters> Typed<Vec<T>> {
    pub(crate) const fn objects(name: &'static str, max: usize, summary: &'static str) -> Self {
        Self::new(name, Kind::Objects { fields: T::PARAMETERS, max }, summary, |parameter, given| {
            let Kind::Objects { max, .. } = parameter.kind else { return Ok(None) };
            items(parameter, given, max, |fields| T::read(&fields))
        })
    }
}

fn malformed(parameter: &Parameter) -> ApiError {
    parameter.malformed.map_or_else(|| ApiError::malformed(parameter.name), ApiError::from)
}

fn scalar<T>(
    parameter: &Parameter,
    given: &Given<'_>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    match (given.0.get(parameter.name), parameter.empty) {
        (Some(&""), Some(fault)) => Err(fault.into()),
        (None | Some(&""), _) => Ok(None),
        (Some(text), _) => {
            let value = if text.len() <= MAX_VALUE_BYTES { parse(text) } else { None };
            value.ok_or_else(|| malformed(parameter)).map(Some)
        }
    }
}

fn items<T>(
    parameter: &Parameter,
    given: &Given<'_>,
    max: usize,
    read: impl Fn(Given<'_>) -> Result<T, ApiError>,
) -> Result<Option<Vec<T>>, ApiError> {
    let items = given.items(parameter.name).ok_or_else(|| malformed(parameter))?;
    if items.len() > max {
        return Err(malformed(parameter));
    }
    let items: Vec<T> = items.into_values().map(read).collect::<Result<_, _>>()?;
    Ok((!items.is_empty()).then_some(items))
}

/// A whole number as JSON writes one; one that is too large for us is the largest there is, of its sign.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let saturated = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Some(text.parse().unwrap_or(saturated))
}

/// Defines what is read from parameters. Each field names its type and its parameter; the compiler checks both, and
/// that the parameter's name on the wire is that of the field.
macro_rules! parameters {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $parameter:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the parameter of each field documents it")]
        pub struct $name {
            $(pub $field: $type,)*
        }

        impl $crate::request::Parameters for $name {
            const PARAMETERS: &'static [$crate::Parameter] = &[$($parameter.parameter()),*];

            fn read(given: &$crate::request::Given<'_>) -> Result<Self, $crate::ApiError> {
                Ok(Self { $($field: $parameter.read(given)?,)* })
            }
        }

        $(const _: () = assert!(
            $crate::wire_name::same($parameter.parameter().name, $crate::wire_name::of!($field)),
            "a parameter's name on the wire is not that of its field",
        );)*
    };
}
pub(crate) use parameters;

#[cfg(test)]
mod tests;
