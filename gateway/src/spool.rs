//! Chunks on disk until they are acknowledged.
//!
//! ```text
//! <spool>/lock                      held while a gateway runs
//! <spool>/name                      the gateway's own name
//! <spool>/boot                      the spool's id and how often a gateway was started on it; two lines where a full disk had it
//!                                   written in place
//! <spool>/pushes/<push>/push.json   whose push it is and which session it has, see Record
//! <spool>/pushes/<push>/progress.json         how far it came
//! <spool>/pushes/<push>/<index>+<offset>+<generation>.flv
//!                                   a chunk: its place in the push, ms from the push's begin to its first tag, what
//!                                   held when it was cut (`-continues` before `.flv`: see ChunkName)
//! <spool>/pushes/<push>/<index>+<from>-<to>+<generation>+<reason>.lost
//!                                   the place of a chunk that will not come, until the functions know it
//! <spool>/pushes/<push>/<n>.kept    the last seconds of media while nothing is recorded
//! <spool>/probe                     while it is tried whether the disk takes something again
//! <spool>/refused/<push>-<index>.flv, .json   a chunk that the functions refused for good, and why, see Refused
//! <spool>/requests/<n>.json         chunks that are to be resent or dropped, until that is done, see Request
//! ```
//!
//! What a push has sent is in memory at first and on disk within 100 ms, in the order in which it came, and before it
//! is first sent: a number never names other bytes, also after a SIGKILL.
//! A SIGKILL so costs the last 100 ms of a push. A loss of power costs what is not synced: a chunk that has waited for a
//! second is, with all that leads to it, within another second, and the push itself once its session is adopted. What is
//! sent sooner may be whole in the functions and torn here: they keep what they have taken.
//! `<push>` begins with the time of the publish, so that names sort as the pushes of one gateway's run came. The last file of a
//! live push is appended to; it ends anywhere after a crash, and [`recover`] cuts it back to whole tags.
//! Where the end of a chunk is moved into the next one, `….flv.<bytes>.split` is the next one's file until the
//! first is cut to so many bytes.
//! A file is deleted once it is acknowledged, and the folder once the push's end is too.

mod alarm;
mod boot;
mod charge;
mod chunk;
mod folder;
mod gap;
mod limit;
mod record;
mod recover;
mod refused;
mod requests;
mod resend;
mod sync;
mod trim;
mod waiting;

pub(crate) use charge::{Account, Fill};
pub(crate) use chunk::{Chunk, OpenChunk};
pub(crate) use folder::Spool;
pub(crate) use gap::Gap;
pub(crate) use record::{ChunkName, Codecs, End, Push, Record, Session};
pub(crate) use recover::{Recovered, recover};
pub use refused::ChunkId;
pub(crate) use refused::{Refused, delete_refused, refused_files};
pub use requests::Action;
pub(crate) use requests::{Request, requests};
pub(crate) use resend::{is_loss_untold, resend};
pub(crate) use sync::sync;
pub(crate) use waiting::Waiting;
