//! Says once that something is nearly full, and once that it no longer is.

use protocol::StreamPath;

/// From this part of its limit on, in percent, something is nearly full.
const NEARLY_FULL: u64 = 80;

/// At most this part of it has to be used for the alarm to be over, in percent.
const HEALED: u64 = 60;

/// Whether it was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Alarm {
    is_raised: bool,
}

/// What is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    /// The stream; `None`: the spool as a whole.
    pub(super) stream: Option<StreamPath>,
    /// Whether it is over.
    pub(super) is_healed: bool,
    pub(super) used_bytes: u64,
    /// What may be used.
    pub(super) limit_bytes: u64,
}

impl Alarm {
    /// Looks how much is used; `Some(is_healed)` where that is to be said.
    pub(super) fn look(&mut self, used_bytes: u64, limit_bytes: u64) -> Option<bool> {
        let is_at_least = |percent| used_bytes.saturating_mul(100) >= limit_bytes.saturating_mul(percent);
        let is_raised = is_at_least(if self.is_raised { HEALED } else { NEARLY_FULL });
        let is_changed = is_raised != self.is_raised;
        self.is_raised = is_raised;
        is_changed.then_some(!is_raised)
    }

    /// Whether it was said and is not over.
    pub(super) fn is_raised(self) -> bool {
        self.is_raised
    }
}

impl Warning {
    pub(super) fn log(&self) {
        let Self { stream, is_healed, used_bytes, limit_bytes } = self;
        match (stream, is_healed) {
            (None, false) => tracing::warn!(
                "spool is nearly full: {used_bytes} of {limit_bytes} bytes wait for the functions; once it is full, \
                 streams that have more than their share are held back, or lose their oldest media"
            ),
            (Some(stream), false) => tracing::warn!(
                "{stream}: {used_bytes} bytes wait for the functions, of a share of {limit_bytes}"
            ),
            (None, true) => tracing::info!("spool has room again: {used_bytes} of {limit_bytes} bytes wait"),
            (Some(stream), true) => {
                tracing::info!("{stream}: {used_bytes} bytes wait, of a share of {limit_bytes}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_until_it_has_healed() {
        let mut alarm = Alarm::default();
        let mut look = |used_bytes| alarm.look(used_bytes, 1_000);
        for (used_bytes, said) in [
            (0, None),
            (799, None),
            (800, Some(false)),
            (1_200, None),
            (700, None),
            (850, None),
            (600, None),
            (599, Some(true)),
            (799, None),
            (800, Some(false)),
        ] {
            assert_eq!(look(used_bytes), said, "{used_bytes}");
        }
    }
}
