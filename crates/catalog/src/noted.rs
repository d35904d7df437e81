//! Which days a slice is noted in before it is committed.

use store::Store;

use crate::chunk::Slice;
use crate::commit::Prepared;
use crate::days::{day, days, note_session};
use crate::error::Error;
use crate::log::LATE_MS;
use crate::session::Session;
use crate::time::DAY_MS;

/// Notes the days that a slice touches, as far as its session has not been noted in them: by its adoption in the day of
/// its begin, and by its slices before; and now and then where the day may be sealed already. To be called before the
/// slice is committed, so that every query finds it. Answers when the session was noted last since a day was over.
pub(crate) async fn note_slice(
    store: &impl Store,
    prepared: &Prepared,
    slice: &Slice,
    now_ms: u64,
) -> Result<Option<u64>, Error> {
    let Session { id, stream, .. } = &prepared.session;
    let noted = day(prepared.noted_ms());
    let mut late_noted_ms = prepared.late_noted_ms();
    // What was noted late stays in its list for longer than this.
    let is_noted = late_noted_ms.is_some_and(|noted_ms| noted_ms.abs_diff(now_ms) < LATE_MS / 2);
    for day in days(slice.start_ms(), slice.end_ms().max(slice.start_ms() + 1)) {
        let is_late = now_ms >= (day + 1) * DAY_MS && !is_noted;
        if day > noted || is_late {
            note_session(store, stream, day, id, now_ms).await?;
        }
        if is_late {
            late_noted_ms = Some(now_ms);
        }
    }
    Ok(late_noted_ms)
}
