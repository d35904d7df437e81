//! What is said of a chunk, in the log, to the gateway and to the user's server.

use http::{HeaderMap, HeaderValue};
use protocol::{LEFT_OUT_HEADER, REPAIRS_HEADER, write_counts};
use shared::media;

/// Says in the log what the push did wrong, and which tracks cannot be recorded.
pub fn log(session: &str, seq: u64, remuxed: &media::Slice) {
    let repairs = remuxed.repairs.iter().map(|repair| format!("{} ×{}", repair.kind, repair.count));
    let left_out = remuxed.left_out.iter().map(|left_out| {
        format!("{} {} not recorded ({} messages)", left_out.kind, left_out.name, left_out.messages)
    });
    let all: Vec<String> = repairs.chain(left_out).collect();
    if !all.is_empty() {
        eprintln!("session {session} chunk {seq}: {}", all.join(", "));
    }
}

/// Tells the gateway, which counts it.
pub fn tell(remuxed: &media::Slice, headers: &mut HeaderMap) {
    let repairs = remuxed.repairs.iter().map(|repair| (&*repair.kind, repair.count));
    let left_out = remuxed.left_out.iter().map(|left_out| (&*left_out.kind, left_out.messages));
    for (name, counts) in [(REPAIRS_HEADER, write_counts(repairs)), (LEFT_OUT_HEADER, write_counts(left_out))]
    {
        if !counts.is_empty()
            && let Ok(counts) = HeaderValue::from_str(&counts)
        {
            headers.insert(name, counts);
        }
    }
}

/// A track that cannot be recorded, as its kind and codec; `None` for script data.
#[must_use]
pub fn track(left_out: &media::LeftOut) -> Option<String> {
    (left_out.kind != "script").then(|| format!("{} {}", left_out.kind, left_out.name))
}
