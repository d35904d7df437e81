//! Functions that fail in every way, but for what only time heals.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use crate::fake::{Act, Call, Kind, fail};

/// All of it fails for so long, again and again.
const OUTAGE: Duration = Duration::from_secs(2);
const OUTAGE_EVERY: Duration = Duration::from_secs(11);

/// Chunks of streams whose names begin with `dead` are never taken before it is healed; other calls fail now and then.
pub(crate) fn faults(is_healed: Arc<AtomicBool>) -> impl FnMut(&Call) -> Act + Send + 'static {
    let began = Instant::now();
    move |call| {
        if is_healed.load(Relaxed) {
            return Act::Succeed;
        }
        let is_out = began.elapsed().as_millis() % OUTAGE_EVERY.as_millis() < OUTAGE.as_millis();
        let is_media = matches!(call.kind, Kind::Chunk | Kind::Lost);
        let is_dead = is_media && call.stream.contains("/dead");
        match fastrand::u32(..100) {
            0..40 if is_dead => fail(503),
            40..70 if is_dead => Act::Foreign(413),
            70..72 if is_dead => Act::Hang(Duration::from_secs(5)),
            _ if is_dead => Act::Foreign(502),
            _ if is_out => fail(503),
            0..3 => fail(500),
            3..6 => Act::Foreign(502),
            6..9 if is_media => Act::LoseReply,
            9..12 => Act::Delay(Duration::from_millis(700)),
            12..14 if is_media => Act::Foreign(413),
            _ => Act::Succeed,
        }
    }
}
