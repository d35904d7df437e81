//! What publishers may do, as `up` and `gateway` are told.

use clap::ValueEnum;

use crate::size::parse_bytes;

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
    /// How much may wait on disk for functions that do not take it, in bytes or with a unit: 500MB, 4GiB. A stream may
    /// use all that no other one needs. When it is full, each is held to an equal share, and one that cannot be delivered
    /// gives up its oldest media. By default 4GiB, but at most half of what the disk has room for.
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub(crate) spool_limit: Option<u64>,
    /// How many connections are taken at once, publishing or not, by default 4096. The limit of open files is raised as
    /// far as the system allows; a quarter of it is taken at most.
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_connections: Option<usize>,
    /// How many of them from one address, or from one IPv6 network of 64 bits; by default 1024.
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_connections_per_address: Option<usize>,
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
