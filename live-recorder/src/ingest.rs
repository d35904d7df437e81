//! What publishers may do, as `up` and `gateway` are told.

use clap::ValueEnum;

/// The settings of RTMP ingest.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct IngestArgs {
    /// Streaming domain of publishers that name none; by default the address that they connected to.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) default_domain: Option<String>,
    /// What becomes of a publisher of a stream that another one is publishing. The same publisher, which comes from the
    /// same address with the same arguments, always takes over at once, and so does any other where the first one's
    /// connection is dead.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) second_publisher: SecondPublisher,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum SecondPublisher {
    /// It is refused.
    #[default]
    Refuse,
    /// It takes the stream over, and the first one's connection is ended.
    Takeover,
}

impl From<SecondPublisher> for gateway::SecondPublisher {
    fn from(second: SecondPublisher) -> Self {
        match second {
            SecondPublisher::Refuse => Self::Refuse,
            SecondPublisher::Takeover => Self::Takeover,
        }
    }
}
