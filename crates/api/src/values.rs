//! From parameters as text to checked values, by the table.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{ApiError, Kind, Outside, Parameter, Presence};

/// Longest value of any parameter that has no limit of its own, in bytes.
pub(crate) const MAX_VALUE_BYTES: usize = 1024;

/// Parameters by name, each once.
pub(crate) type Given<'a> = BTreeMap<&'a str, &'a str>;

/// Reads what a table describes; ignores everything else.
pub(crate) fn read(table: &[Parameter], given: &Given<'_>) -> Result<Map<String, Value>, ApiError> {
    let mut values = Map::new();
    for parameter in table {
        if let Some(value) = read_one(parameter, given)? {
            values.insert(parameter.name.into(), value);
        }
    }
    Ok(values)
}

fn read_one(parameter: &Parameter, given: &Given<'_>) -> Result<Option<Value>, ApiError> {
    let malformed =
        || parameter.malformed.map_or_else(|| ApiError::malformed(parameter.name), ApiError::from);
    let value = match parameter.kind {
        Kind::List { item, max } => {
            let items = items(parameter.name, given).ok_or_else(malformed)?;
            if items.len() > max {
                return Err(malformed());
            }
            let read = |(_, fields): (u32, Given<'_>)| {
                let text = fields.get("").copied().unwrap_or_default();
                scalar(item, text).ok_or_else(malformed)
            };
            let list: Vec<_> = items.into_iter().map(read).collect::<Result<_, _>>()?;
            (!list.is_empty()).then_some(Value::Array(list))
        }
        Kind::Objects { fields, max } => {
            let items = items(parameter.name, given).ok_or_else(malformed)?;
            if items.len() > max {
                return Err(malformed());
            }
            let read_item = |(_, given): (u32, Given<'_>)| read(fields, &given).map(Value::Object);
            let list: Vec<_> = items.into_iter().map(read_item).collect::<Result<_, _>>()?;
            (!list.is_empty()).then_some(Value::Array(list))
        }
        kind => match (given.get(parameter.name), parameter.empty) {
            (Some(&""), Some(fault)) => return Err(fault.into()),
            (None | Some(&""), _) => None,
            (Some(text), _) => Some(scalar(&kind, text).ok_or_else(malformed)?),
        },
    };
    match (value, parameter.presence) {
        (Some(value), _) => Ok(Some(value)),
        (None, Presence::Optional) => Ok(None),
        (None, Presence::Required) => Err(ApiError::missing(parameter.name)),
        (None, Presence::Default(text)) => scalar(&parameter.kind, text).ok_or_else(malformed).map(Some),
    }
}

/// The items of a list, in the order of their numbers, each with its fields; gaps in the numbers are tolerated.
///
/// None where a name begins like an item and is none.
fn items<'a>(name: &str, given: &Given<'a>) -> Option<BTreeMap<u32, Given<'a>>> {
    let mut items: BTreeMap<u32, Given<'a>> = BTreeMap::new();
    for (key, value) in given {
        let Some(rest) = key.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) else { continue };
        let (number, field) = rest.split_once('.').unwrap_or((rest, ""));
        // No sign, no leading zero: one number, one spelling.
        let number: u32 = number.parse().ok().filter(|n: &u32| *n > 0 && n.to_string() == number)?;
        items.entry(number).or_default().insert(field, value);
    }
    Some(items)
}

fn scalar(kind: &Kind, text: &str) -> Option<Value> {
    if text.len() > MAX_VALUE_BYTES {
        return None;
    }
    let checked = |fine: bool| fine.then(|| Value::from(text));
    match *kind {
        Kind::Name => checked(protocol::check_name("", text).is_ok()),
        Kind::NameOrAny => checked(text == "*" || protocol::check_name("", text).is_ok()),
        Kind::Text(max) => checked(text.len() <= max && !text.chars().any(char::is_control)),
        Kind::Alphanumeric(min, max) => {
            checked((min..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()))
        }
        Kind::Integer { min, max, outside } => match integer(text, outside)? {
            number if (min..=max).contains(&number) => Some(number.into()),
            number if outside == Outside::Clamped => Some(number.clamp(min, max).into()),
            _ => None,
        },
        Kind::OneOf(numbers) => {
            integer(text, Outside::Refused).filter(|n| numbers.contains(n)).map(Value::from)
        }
        Kind::Boolean => match text {
            _ if text.eq_ignore_ascii_case("true") => Some(true.into()),
            _ if text.eq_ignore_ascii_case("false") => Some(false.into()),
            _ => None,
        },
        Kind::Time => acs::time::parse(text).ok().map(Value::from),
        Kind::Choice(words) => checked(words.contains(&text)),
        Kind::Template(kind) => checked(naming::Template::parse(text, kind).is_ok()),
        Kind::Bucket => checked(s3::Bucket::new("localhost", text).is_ok()),
        Kind::Endpoint => checked(s3::Bucket::new(text, "bucket").is_ok()),
        Kind::Url => checked(is_url(text)),
        Kind::List { .. } | Kind::Objects { .. } => None,
    }
}

/// A whole number as JSON writes one; one that is too large for us is the largest where it would be clamped.
fn integer(text: &str, outside: Outside) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let saturated = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    text.parse().ok().or((outside == Outside::Clamped).then_some(saturated))
}

fn is_url(text: &str) -> bool {
    let begins =
        |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    (begins("http://") || begins("https://"))
        && uri.host().is_some_and(|host| !host.is_empty())
        && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
}

#[cfg(test)]
mod tests;
