//! The ingest gateway: RTMP pushes in, FLV chunks out.
//!
//! Each push is cut into self-contained FLV chunks, which are appended to files in the spool and brought to the
//! functions in order, until each one is acknowledged. It writes no container but FLV. Of a tag it reads the header
//! that tells keyframes and configuration apart, of a configuration whether it can be used and what it says, and
//! of coded media nothing but whether a picture begins where a cut would fall.
//!
//! | module | is |
//! | --- | --- |
//! | `server` | configuration, start and shutdown: puts the parts together |
//! | `settings` | what may be changed while it runs |
//! | `network`, `push_from`, `places`, `descriptors` | who may be connected, and how many |
//! | `entrance`, `certificates` | what comes before RTMP: a proxy's header, TLS |
//! | `connection`, `identity`, `admission`, `names`, `pace` | who pushes what, and may |
//! | `recorder`, `cut`, `headers` | from tags to chunks |
//! | `queue` | the chunks of one push, between its connection and its upload |
//! | [`trust`] | whose certificates are trusted |
//! | `spool`, `block`, `blocking` | chunks on disk and in memory, and what a restart finds |
//! | `upload`, `sessions`, `functions`, `gateway` | bringing chunks to the functions, and what the functions want |
//! | `heartbeat`, `tell`, `ticker` | what the functions are told each second |
//! | `operation` | what an operator sees and commands |
//! | [`admin`] | the HTTP address of an operator |
//! | [`push`] | the other end: a small publisher |
//! | [`upkeep`] | looking after a spool by hand |
//! | [`rebuild`] | has the functions fill a lost store anew |

pub mod admin;
mod admission;
mod block;
mod blocking;
mod certificates;
mod clock;
mod connection;
mod cut;
mod descriptors;
mod entrance;
mod functions;
mod gateway;
mod headers;
mod heartbeat;
mod identity;
mod names;
mod network;
mod operation;
mod pace;
mod places;
pub mod push;
mod push_from;
mod queue;
pub mod rebuild;
mod recorder;
mod server;
mod sessions;
mod settings;
mod spool;
mod tell;
mod ticker;
pub mod trust;
pub mod upkeep;
mod upload;

pub use certificates::Certificates;
#[cfg(feature = "simulation")]
pub use clock::simulate_wall_clock;
pub use entrance::Entrance;
pub use names::SecondPublisher;
pub use network::Network;
pub use operation::{Control, DrainPlan, DrainState, PublisherView, Reason};
pub use server::{CALL_MAX, Config, FIRST_MEDIA, Ingest, open, serve};
pub use settings::Settings;
