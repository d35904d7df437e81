//! Sizes, as settings name them.

/// Bytes of each unit.
const UNITS: [(&str, u64); 9] = [
    ("", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Reads a whole number of bytes, with a unit or without: `500MB`, `4GiB`, `1048576`.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    match parse_bytes_or_none(text)? {
        0 => Err("it must be more than nothing".into()),
        bytes => Ok(bytes),
    }
}

/// Likewise, where 0 says that there is no such thing.
pub(crate) fn parse_bytes_or_none(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let unit_at = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (&text[..unit_at], text[unit_at..].trim().to_ascii_lowercase());
    let (_, unit_bytes) = UNITS
        .into_iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(|| format!("the unit {unit:?} is none of kB, MB, GB, TB, KiB, MiB, GiB, TiB"))?;
    let number: u64 = number.parse().map_err(|_| format!("{text:?} does not begin with a whole number"))?;
    number.checked_mul(unit_bytes).ok_or_else(|| format!("{text:?} is more than can be counted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_units() {
        for (text, bytes) in
            [("7", 7), ("500MB", 500_000_000), ("4GiB", 4 << 30), ("2 gib", 2 << 30), ("1kB", 1_000)]
        {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
        for text in ["", "GiB", "4.5GiB", "-1", "0", "3 apples", "99999999TiB"] {
            assert!(parse_bytes(text).is_err(), "{text}");
            assert_eq!(parse_bytes_or_none(text).ok(), (text == "0").then_some(0), "{text}");
        }
    }
}
