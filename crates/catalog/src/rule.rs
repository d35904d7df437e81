//! The rule of a push, as it was when the push began.

use serde::{Deserialize, Serialize};

/// The container of a record file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// Transport stream slices and a playlist of them.
    M3u8,
    /// One MP4 file.
    Mp4,
    /// One FLV file.
    Flv,
}

/// One kind of record file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// What holds the media.
    pub container: Container,
    /// Media time after which a file is full. Unit: s.
    pub cycle_seconds: u32,
    /// Template of a record file's object name.
    pub object_prefix: String,
    /// M3U8 alone has them.
    pub slices: Option<SliceFormat>,
}

/// The slices of an M3U8 record file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceFormat {
    /// Media time of a slice. Unit: s.
    pub seconds: u32,
    /// Template of a slice's object name.
    pub object_prefix: String,
}

/// When a rule has a push recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// From its begin.
    Automatic,
    /// When the on-demand URL answers so.
    OnDemand,
    /// When an argument of the push says so.
    PushArgument,
    /// By command only.
    Manual,
}

/// The rule that a push matched when it began. It never changes for that push.
///
/// A break continues a recording only where every field equals the rule of the recording before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Endpoint of the user's object store.
    pub endpoint: String,
    /// The user's bucket.
    pub bucket: String,
    /// The longest break that a recording goes on over. Unit: s.
    pub delay_seconds: u32,
    /// What is recorded, each container once.
    pub formats: Vec<Format>,
    /// When it is recorded.
    pub mode: Mode,
    /// Begin of the one-shot window. Unix seconds.
    pub window_start: Option<u64>,
    /// End of the one-shot window. Unix seconds.
    pub window_end: Option<u64>,
}

impl Rule {
    /// The slices that it asks for, if any format has them.
    #[must_use]
    pub fn slices(&self) -> Option<&SliceFormat> {
        self.formats.iter().find_map(|format| format.slices.as_ref())
    }

    /// The longest break that a recording goes on over. Unit: ms.
    #[must_use]
    pub fn delay_ms(&self) -> u64 {
        u64::from(self.delay_seconds) * 1_000
    }
}
