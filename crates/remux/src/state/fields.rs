//! The fields of an encoded state, one after another in network byte order.

use super::StateError;

/// Times beyond this cannot come from a session: two thousand years. Keeps every sum in 64 bits.
const MAX_TIME_90KHZ: i64 = 1 << 52;

/// Appends an optional value: a flag and, also where there is none, the value.
pub(super) fn write_optional(bytes: &mut Vec<u8>, value: Option<u64>) {
    bytes.push(value.is_some().into());
    bytes.extend_from_slice(&value.unwrap_or(0).to_be_bytes());
}

/// Fields of a state whose size has been checked.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.0.split_first_chunk().expect("the size should have been checked");
        self.0 = rest;
        *taken
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, StateError> {
        match self.take() {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(StateError::Field { field }),
        }
    }

    pub(super) fn optional(&mut self, field: &'static str) -> Result<Option<u64>, StateError> {
        let is_some = self.flag(field)?;
        let value = u64::from_be_bytes(self.take());
        Ok(is_some.then_some(value))
    }

    /// A time, or a distance between times.
    pub(super) fn time(&mut self, field: &'static str) -> Result<i64, StateError> {
        let time_90khz = i64::from_be_bytes(self.take());
        if (-MAX_TIME_90KHZ..=MAX_TIME_90KHZ).contains(&time_90khz) {
            Ok(time_90khz)
        } else {
            Err(StateError::Field { field })
        }
    }

    pub(super) fn optional_time(&mut self, field: &'static str) -> Result<Option<i64>, StateError> {
        let is_some = self.flag(field)?;
        let time_90khz = self.time(field)?;
        Ok(is_some.then_some(time_90khz))
    }
}
