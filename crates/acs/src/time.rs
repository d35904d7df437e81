//! Times as the API and both signatures write them: UTC, `yyyy-MM-ddTHH:mm:ssZ`, nothing else.

use chrono::{DateTime, NaiveDate};

use crate::{Error, error::excerpt};

/// Reads a time into Unix seconds.
///
/// # Errors
/// Any other layout (fractions, offsets, missing digits), a date that the calendar does not have, or one before
/// 1970.
pub fn parse(text: &str) -> Result<u64, Error> {
    seconds(text).ok_or_else(|| Error::TimeFormat { found: excerpt(text) })
}

fn seconds(text: &str) -> Option<u64> {
    const LAYOUT: &[u8; 20] = b"0000-00-00T00:00:00Z";
    let bytes = text.as_bytes();
    let fits =
        |(&found, &wanted): (&u8, &u8)| if wanted == b'0' { found.is_ascii_digit() } else { found == wanted };
    if bytes.len() != LAYOUT.len() || !bytes.iter().zip(LAYOUT).all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(number(0, 4)?.try_into().ok()?, number(5, 7)?, number(8, 10)?)?;
    let time = date.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;
    time.and_utc().timestamp().try_into().ok()
}

/// Writes Unix seconds; a moment after the year 9999 is written as its last second, which every reader takes.
#[must_use]
pub fn format(unix_s: u64) -> String {
    const LAST: i64 = 253_402_300_799;
    let clamped = i64::try_from(unix_s).unwrap_or(LAST).min(LAST);
    DateTime::from_timestamp(clamped, 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_from_their_text() {
        for (text, unix_s) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2017-03-08T15:09:46Z", 1_488_985_786),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(parse(text), Ok(unix_s));
            assert_eq!(format(unix_s), text);
        }
        assert_eq!(format(u64::MAX), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn any_other_layout_is_refused() {
        for text in [
            "",
            "2017-12-22T08:00:00:00Z",
            "2017-12-22T08:00:00",
            "2017-12-22T08:00Z",
            "2017-12-22 08:00:00Z",
            "2017-12-22T08:00:00z",
            "2017-12-22T08:00:00.0Z",
            "2017-12-22T08:00:00+0",
            "2017-02-29T08:00:00Z",
            "2017-13-01T08:00:00Z",
            "2017-12-22T24:00:00Z",
            "2017-12-22T08:60:00Z",
            "2017-12-22T23:59:60Z",
            "1969-12-31T23:59:59Z",
            "+017-12-22T08:00:00Z",
            "２017-12-22T08:00:0Z",
        ] {
            assert_eq!(parse(text), Err(Error::TimeFormat { found: text.into() }), "{text}");
        }
    }
}
