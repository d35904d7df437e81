//! Percent-encoding, as both signatures use it, and the decoding of queries and forms.

use crate::{Error, MAX_PARAMETERS};

/// Percent-encodes a name or value for a signature.
///
/// The unreserved characters of RFC 3986 §2.3 stay, everything else becomes `%XX` in upper case.
#[must_use]
pub fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}

/// Decodes a query or a form body into its parameters, in order, empty values included.
///
/// `+` is a space, as in `application/x-www-form-urlencoded`. Clients encode differently on the wire; only the
/// decoded text is theirs to sign.
///
/// # Errors
/// A `%` without two hex digits, text that is not UTF-8, or more than [`MAX_PARAMETERS`] parameters.
pub fn decode_parameters(text: &str) -> Result<Vec<(String, String)>, Error> {
    let mut parameters = Vec::new();
    let mut at = 0;
    for pair in text.split('&') {
        if !pair.is_empty() {
            if parameters.len() == MAX_PARAMETERS {
                return Err(Error::TooManyParameters);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.push((decode(name, at)?, decode(value, at + name.len() + 1)?));
        }
        at += pair.len() + 1;
    }
    Ok(parameters)
}

fn decode(text: &str, at: usize) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, tail) = tail.split_at_checked(2).ok_or(Error::Encoding { at })?;
                rest = tail;
                let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(Error::Encoding { at });
                (digit(digits[0])? << 4 | digit(digits[1])?) as u8
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).map_err(|_| Error::Encoding { at })
}

/// `enc(k)=enc(v)` joined by `&`, sorted by name: what both schemes sign of their parameters.
///
/// # Errors
/// A name that comes twice.
pub(crate) fn canonical<'a>(parameters: impl Iterator<Item = &'a (String, String)>) -> Result<String, Error> {
    let mut sorted: Vec<_> = parameters.collect();
    sorted.sort();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::Duplicate { name: crate::error::excerpt(&pair[0].0) });
    }
    let pairs: Vec<_> = sorted.iter().map(|(name, value)| encode(name) + "=" + &encode(value)).collect();
    Ok(pairs.join("&"))
}

/// The value of a parameter that has to be there.
pub(crate) fn required<'a>(parameters: &'a [(String, String)], name: &'static str) -> Result<&'a str, Error> {
    let value = parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    value.filter(|value| !value.is_empty()).ok_or(Error::Missing { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(encode("aZ09-_.~ *+/'()!é"), "aZ09-_.~%20%2A%2B%2F%27%28%29%21%C3%A9");
    }

    #[test]
    fn every_wire_spelling_of_a_value_decodes_alike() {
        for text in ["a=s+1~x'()!*", "a=s%201~x'()!*", "&a=s%201%7ex%27%28%29%21%2A&", "%61=s+1~x'()!%2a"] {
            assert_eq!(decode_parameters(text), Ok(vec![("a".into(), "s 1~x'()!*".into())]), "{text}");
        }
    }

    #[test]
    fn empty_values_are_kept() {
        let pairs = |list: &[(&str, &str)]| Ok(list.iter().map(|&(n, v)| (n.into(), v.into())).collect());
        assert_eq!(decode_parameters("a=&b&c=d=e"), pairs(&[("a", ""), ("b", ""), ("c", "d=e")]));
        assert_eq!(decode_parameters(""), pairs(&[]));
    }

    #[test]
    fn what_is_not_percent_encoded_utf8_is_refused_with_its_place() {
        for (text, at) in
            [("a=%", 2), ("a=%4", 2), ("a=%zz", 2), ("b=1&a=%ff", 6), ("%C3=1", 0), ("a=%é1", 2)]
        {
            assert_eq!(decode_parameters(text), Err(Error::Encoding { at }), "{text}");
        }
    }

    #[test]
    fn the_number_of_parameters_is_bounded() {
        let text = |count: usize| (0..count).map(|n| format!("p{n}=&")).collect::<String>();
        assert_eq!(decode_parameters(&text(MAX_PARAMETERS)).unwrap().len(), MAX_PARAMETERS);
        assert_eq!(decode_parameters(&text(MAX_PARAMETERS + 1)), Err(Error::TooManyParameters));
    }
}
