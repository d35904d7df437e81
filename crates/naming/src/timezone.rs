//! The time zone that the times in object names are written in.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDateTime};

use crate::Error;

/// A fixed distance from UTC.
///
/// The default is +08:00, the zone of the object names that Alibaba Cloud Live writes; times on the API stay UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timezone {
    /// Minutes east of UTC, from -840 to 840.
    minutes: i16,
}

impl Timezone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self { minutes: 0 };

    /// The calendar time here at a moment, given in Unix milliseconds.
    ///
    /// A moment past the end of the calendar (some 260,000 years ahead) counts as 1970.
    pub(crate) fn local(self, unix_ms: u64) -> NaiveDateTime {
        let shifted =
            i64::try_from(unix_ms).ok().and_then(|ms| ms.checked_add(i64::from(self.minutes) * 60_000));
        shifted.and_then(DateTime::from_timestamp_millis).unwrap_or_default().naive_utc()
    }
}

impl Default for Timezone {
    fn default() -> Self {
        Self { minutes: 8 * 60 }
    }
}

impl FromStr for Timezone {
    type Err = Error;

    /// Reads `+08:00`, `-03:30` or `Z`.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text == "Z" {
            return Ok(Self::UTC);
        }
        let refuse = || Error::Timezone { found: text.chars().take(32).collect() };
        let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = text.as_bytes() else { return Err(refuse()) };
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| i16::from(byte - b'0')).ok_or_else(refuse);
        let (hours, minutes) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
        let total = hours * 60 + minutes;
        if minutes > 59 || total > 14 * 60 {
            return Err(refuse());
        }
        Ok(Self { minutes: if *sign == b'-' { -total } else { total } })
    }
}

impl fmt::Display for Timezone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let minutes = self.minutes.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_comes_back_from_its_text() {
        for text in ["+08:00", "-03:30", "+00:00", "+05:59", "+14:00", "-14:00"] {
            assert_eq!(text.parse::<Timezone>().unwrap().to_string(), text);
        }
        assert_eq!("Z".parse::<Timezone>(), Ok(Timezone::UTC));
        assert_eq!("-00:00".parse::<Timezone>(), Ok(Timezone::UTC));
    }

    #[test]
    fn anything_else_is_no_zone() {
        for text in ["", "08:00", "+8:00", "+08:60", "+14:01", "+0800", "+08:00 ", "Asia/Shanghai", "+é:00"]
        {
            assert!(text.parse::<Timezone>().is_err(), "{text:?}");
        }
    }
}
