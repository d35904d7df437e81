//! Values that are one of a few words, or of a few numbers.

use rules::{Container, OnDemand};

/// A type whose values are words on the wire.
pub trait Words: Copy + PartialEq + 'static {
    /// The words.
    const WORDS: &'static [&'static str];

    /// The value of a word.
    fn from_word(word: &str) -> Option<Self>;

    /// The word of a value.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($name:ident { $($case:ident = $word:literal),* }) => {
        impl Words for $name {
            const WORDS: &'static [&'static str] = &[$($word),*];

            fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$case),)*
                    _ => None,
                }
            }

            fn word(self) -> &'static str {
                match self {
                    $(Self::$case => $word,)*
                }
            }
        }
    };
    ($($(#[$doc:meta])* pub enum $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal),* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum $name {
                $($(#[$case_doc])* $case),*
            }

            words!($name { $($case = $word),* });
        )*
    };
}

words!(Container { M3u8 = "m3u8", Mp4 = "mp4", Flv = "flv" });

words! {
    /// Order of a list, by time of creation.
    pub enum Order {
        /// Oldest first.
        Ascending = "asc",
        /// Newest first.
        Descending = "desc"
    }

    /// What to do with a live stream.
    pub enum Command {
        /// Record.
        Start = "start",
        /// Pause.
        Stop = "stop",
        /// Write the file of what was stopped, now.
        CancelDelay = "cancel_delay",
        /// Close the current file and begin a new one.
        Restart = "restart"
    }

    /// How a stream's name is compared.
    pub enum QueryType {
        /// A part of it suffices.
        Fuzzy = "fuzzy",
        /// All of it.
        Strict = "strict"
    }

    /// Which streams.
    pub enum StreamType {
        /// All.
        All = "all",
        /// As they are pushed.
        Raw = "raw",
        /// Transcoded ones.
        Transcoded = "trans"
    }

    /// Whether an online stream is answered in short.
    pub enum OnlyStream {
        /// In short.
        Yes = "yes",
        /// In full.
        No = "no"
    }

    /// Which end of a live stream.
    pub enum LiveStreamType {
        /// Who pushes it.
        Publisher = "publisher"
    }

    /// Whether a push is ended once.
    pub enum Oneshot {
        /// Once: it may come again.
        Yes = "yes",
        /// The stream is forbidden.
        No = "no"
    }

    /// The outcome of a callback.
    pub enum Status {
        /// The receiver answered 200.
        Success = "success",
        /// The receiver did not.
        Failed = "failed"
    }

    /// Where recordings are stored.
    pub enum StorageType {
        /// In buckets.
        Oss = "oss",
        /// In the video-on-demand service, where there are none.
        Vod = "vod",
        /// Anywhere.
        All = "all"
    }
}

/// The numbers by which the API says which pushes are recorded.
pub(crate) const ON_DEMAND: [u32; 4] = [
    on_demand_number(OnDemand::Always),
    on_demand_number(OnDemand::AskUrl),
    on_demand_number(OnDemand::PushArgument),
    on_demand_number(OnDemand::Command),
];

/// The number by which the API says which pushes are recorded.
pub(crate) const fn on_demand_number(on_demand: OnDemand) -> u32 {
    match on_demand {
        OnDemand::Always => 0,
        OnDemand::AskUrl => 1,
        OnDemand::PushArgument => 2,
        OnDemand::Command => 7,
    }
}

/// What a number of the API says of which pushes are recorded.
pub(crate) fn on_demand(number: i64) -> Option<OnDemand> {
    let all = [OnDemand::Always, OnDemand::AskUrl, OnDemand::PushArgument, OnDemand::Command];
    all.into_iter().find(|on_demand| i64::from(on_demand_number(*on_demand)) == number)
}
