//! What is read of a store's answers: the texts of a few elements, in documents that name each only where it is meant.

use std::borrow::Cow;

/// What stands between the tags of the first element of this name. A name may have attributes; an element that the
/// body does not close is none: it was cut off.
pub(crate) fn element<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    elements(body, name).next()
}

/// What stands between the tags of each element of this name, which lie beside each other.
pub(crate) fn elements<'a>(body: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut rest = body;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once(&open)?;
            rest = after;
            // Another name may begin alike.
            if !after.starts_with(['>', ' ', '\t', '\r', '\n', '/']) {
                continue;
            }
            let (attributes, inner) = after.split_once('>')?;
            rest = inner;
            if attributes.ends_with('/') {
                return Some("");
            }
            let (text, after) = inner.split_once(&close)?;
            rest = after;
            return Some(text);
        }
    })
}

/// XML 1.0 §4.6 and §4.1: the predefined entities and characters by number. Anything else stays as it is.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    let Some((before, _)) = text.split_once('&') else { return text.into() };
    let mut plain = before.to_owned();
    for part in text[before.len()..].split('&').skip(1) {
        let found = part.split_once(';').and_then(|(name, rest)| Some((entity(name)?, rest)));
        match found {
            Some((character, rest)) => {
                plain.push(character);
                plain.push_str(rest);
            }
            None => {
                plain.push('&');
                plain.push_str(part);
            }
        }
    }
    plain.into()
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

/// A text as it stands in an element.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_whole_name() {
        let body = "<?xml version=\"1.0\"?><List xmlns=\"http://x/\"><Parts/><Part n=\"1\"><E>a</E></Part><Part>b</Part></List>";
        assert_eq!(elements(body, "Part").collect::<Vec<_>>(), ["<E>a</E>", "b"]);
        assert_eq!(element(body, "Parts"), Some(""));
        assert_eq!(element(body, "E"), Some("a"));
        assert!(element(body, "List").is_some());
        for cut in ["", "<Part", "<Part>", "<Part>a", "<Part>a</Par", "<Party>a</Party>", "<html>Part</html>"]
        {
            assert_eq!(element(cut, "Part"), None, "{cut}");
        }
    }

    #[test]
    fn what_is_escaped_is_read_as_it_was() {
        for (text, plain) in [
            ("&quot;abc&quot;", "\"abc\""),
            ("a&amp;amp;b", "a&amp;b"),
            ("&#39;&#x76F4;&lt;&gt;&apos;", "'直<>'"),
            ("a&b&;c&unknown;&#xFFFFFFFF;&", "a&b&;c&unknown;&#xFFFFFFFF;&"),
        ] {
            assert_eq!(unescape(text), plain);
        }
        assert_eq!(unescape(&escape("a<&>\"")), "a<&>\"");
    }
}
