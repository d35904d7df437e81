//! Looks at gateways that may be silent, and at breaks that may be over.

use serde::{Deserialize, Serialize};
use store::record::{read, write};
use store::{Record, Store, counter};

use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::session::{self, Break, End, Session};
use crate::silence::{self, Round, Standing};
use crate::time::{CALL_MAX_MS, Elapsed, HOSTS_AGREE_MS, LATE_MS, LOOK_MS, SILENCE_MS, SUSPENDED_MAX_MS};
use crate::{committed, file, heard, key, live, media, timer};

/// So many looks at a break come a second apart: what its gateway tells takes a heartbeat, and hosts differ by a second.
const PROMPT_LOOKS: u32 = 3;

/// The last look at a gateway, or at a break. A hint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    /// Heartbeats of the gateway.
    heartbeats: u64,
    /// Chunks of all its sessions; `None` where nobody has counted them.
    chunks: Option<u64>,
    /// Sum of the rounds of silence of all its sessions.
    rounds: u64,
    /// Since a heartbeat or a chunk.
    quiet: Elapsed,
    /// Since a round of silence was written.
    stood: Elapsed,
    /// When the next look is, Unix milliseconds.
    armed_ms: u64,
    /// How often it was looked already.
    looks: u32,
    /// The gateway is silent after this. Unit: ms.
    patience_ms: u64,
}

impl Record for Look {
    const VERSION: u32 = 1;
}

impl Look {
    fn begin(heartbeats: u64, now_ms: u64) -> Self {
        let (quiet, stood) = (Elapsed::begin(now_ms), Elapsed::begin(now_ms));
        Self { heartbeats, quiet, stood, ..Self::default() }
    }

    /// After another look that finds the same heartbeats, and so many chunks.
    fn seen(self, chunks: u64, now_ms: u64) -> Self {
        let is_quiet = self.chunks.is_none_or(|before| before == chunks);
        let quiet = if is_quiet { self.quiet.seen(now_ms) } else { Elapsed::begin(now_ms) };
        Self { chunks: Some(chunks), quiet, stood: self.stood.seen(now_ms), looks: self.looks + 1, ..self }
    }

    /// After rounds of silence were looked at. The closing waits until no commit is under way that has not seen them.
    fn with_rounds(self, rounds: u64, has_begun: bool, now_ms: u64) -> Self {
        let stood = if has_begun || rounds != self.rounds { Elapsed::begin(now_ms) } else { self.stood };
        Self { rounds, stood, ..self }
    }
}

/// Looks at a gateway, by its key: closes the files of its live sessions if it is silent; answers the recordings whose
/// files are to be looked at. Looks again while it has live sessions that are not suspended.
pub(crate) async fn gateway(
    store: &impl Store,
    bucket: &impl WorkBucket,
    gateway: &str,
    now_ms: u64,
) -> Result<Vec<String>, Error> {
    let before: Option<Look> = read(store, &key::look(gateway)).await?;
    let before = before.unwrap_or_default();
    if before.armed_ms > now_ms && before.armed_ms <= now_ms + LOOK_MS {
        // Another timer brings the next look.
        return Ok(Vec::new());
    }
    let heartbeats = counter::value(store, &key::heartbeats(gateway)).await?;
    if !live::has_any(store, gateway, now_ms).await? {
        return Ok(Vec::new());
    }
    let is_new = before.armed_ms == 0 || before.heartbeats != heartbeats;
    if is_new {
        arm(store, gateway, Look::begin(heartbeats, now_ms), now_ms).await?;
        return Ok(Vec::new());
    }
    let sessions = live::of_gateway(store, gateway, now_ms).await?;
    let mut chunks = 0;
    for session in &sessions {
        chunks += committed::length(store, &session.id).await?;
    }
    let look = before.seen(chunks, now_ms);
    let (look, recordings, is_over) = silent(store, bucket, &sessions, look, now_ms).await?;
    if is_over && !sessions.is_empty() {
        // Heartbeats and chunks begin new looks.
        return Ok(recordings);
    }
    arm(store, gateway, look, now_ms).await?;
    Ok(recordings)
}

async fn arm(store: &impl Store, gateway: &str, look: Look, now_ms: u64) -> Result<(), Error> {
    let armed_ms = now_ms + LOOK_MS;
    timer::set(store, armed_ms, &format!("g {gateway}")).await?;
    Ok(write(store, &key::look(gateway), &Look { armed_ms, ..look }).await?)
}

/// The rounds of silence of a gateway's sessions, each a step on. Answers the recordings with closed files, and whether
/// those of all sessions are.
async fn silent(
    store: &impl Store,
    bucket: &impl WorkBucket,
    sessions: &[Session],
    look: Look,
    now_ms: u64,
) -> Result<(Look, Vec<String>, bool), Error> {
    if look.quiet.ms < LOOK_MS {
        return Ok((look, Vec::new(), false));
    }
    let (mut rounds, mut has_begun, mut undecided, mut closed) = (0, false, Vec::new(), Vec::new());
    for session in sessions {
        match silence::look(store, &session.id, look.heartbeats, look.quiet.ms).await? {
            Standing::Served => {}
            Standing::Begun(round) => (rounds, has_begun) = (rounds + round, true),
            Standing::Undecided(round) => {
                rounds += round;
                undecided.push((session, round));
            }
            Standing::Closed(round) => {
                rounds += round;
                closed.push(session);
            }
        }
    }
    let look = look.with_rounds(rounds, has_begun, now_ms);
    if look.stood.ms >= CALL_MAX_MS {
        for (session, round) in undecided {
            if close(store, bucket, session, round, look.heartbeats, now_ms).await? {
                closed.push(session);
            }
        }
    }
    let mut recordings = Vec::new();
    for session in &closed {
        recordings.extend(recording(store, &session.id).await?);
    }
    Ok((look, recordings, closed.len() == sessions.len()))
}

/// Closes the files of a session whose last media is longer ago than its rule's delay; answers whether they are closed.
async fn close(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    round: u64,
    heartbeats: u64,
    now_ms: u64,
) -> Result<bool, Error> {
    if committed::last_media_ms(store, session).await? + session.delay_ms() > now_ms {
        return Ok(false);
    }
    let suspension = format!("z {} {round} {heartbeats}", session.id);
    timer::set(store, now_ms + SUSPENDED_MAX_MS, &suspension).await?;
    // Nobody closes them again, wherever this call dies.
    let look = format!("u {}", session.id);
    if session.tells_status {
        timer::set(store, now_ms + CALL_MAX_MS, &look).await?;
    }
    let decided = silence::close(store, bucket, &session.id, round).await?;
    if session.tells_status {
        timer::set(store, now_ms, &look).await?;
    }
    Ok(matches!(decided, Round::ClosedBefore(_)))
}

/// Ends a session that has been suspended for as long as one may be. `heartbeats` and `round` are those of then.
pub(crate) async fn suspended(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    round: u64,
    heartbeats: u64,
    now_ms: u64,
) -> Result<(), Error> {
    let Some(session) = session::find(store, id).await? else { return Ok(()) };
    if session::ended(store, id).await?.is_some() {
        return Ok(());
    }
    let Some(silence) = silence::closed(store, id).await?.filter(|silence| silence.round == round) else {
        return Ok(());
    };
    let found = counter::value(store, &key::heartbeats(&session.gateway_key())).await?;
    if (silence.heartbeats, found) == (heartbeats, heartbeats) {
        return session::end_at_last(store, bucket, &session, now_ms).await.map(drop);
    }
    // Its gateway came back, and has sent nothing.
    timer::set(store, now_ms + SUSPENDED_MAX_MS, &format!("z {id} {round} {found}")).await
}

/// Looks at the break after an ended session, which is over at `due_ms`; answers the recordings whose files are to be
/// looked at. Looks again until the break is decided and the session's files are closed or can be.
pub(crate) async fn after_end(
    store: &impl Store,
    bucket: &impl WorkBucket,
    id: &str,
    due_ms: u64,
    now_ms: u64,
) -> Result<Vec<String>, Error> {
    let Some(session) = session::find(store, id).await? else { return Ok(Vec::new()) };
    let Some(end) = session::ended(store, id).await? else { return Ok(Vec::new()) };
    let look_key = key::break_look(id);
    let length = committed::length(store, id).await?;
    let look = look_at_break(store, &session, length, due_ms, now_ms).await?;
    let is_decided = decide(store, bucket, (&session, &end), &look, due_ms, now_ms).await?;
    let mut is_whole = length >= end.chunks;
    let (mut look, mut recordings) = (look, Vec::new());
    if !is_whole {
        let one = std::slice::from_ref(&session);
        (look, recordings, is_whole) = silent(store, bucket, one, look, now_ms).await?;
    }
    if is_decided && is_whole {
        live::tidy(store, &session, now_ms).await?;
        store.delete(&look_key).await?;
        recordings = recording(store, id).await?.into_iter().collect();
        for recording in &recordings {
            media::ask_by(store, session.rule.as_ref(), recording, now_ms).await?;
        }
        return Ok(recordings);
    }
    let longest_ms = if is_decided { 60_000 } else { LOOK_MS };
    let wait_ms = (1_000_u64 << look.looks.saturating_sub(PROMPT_LOOKS).min(6)).min(longest_ms);
    write(store, &look_key, &look).await?;
    timer::set(store, now_ms + wait_ms, &format!("b {id} {due_ms}")).await?;
    for recording in &recordings {
        media::ask_by(store, session.rule.as_ref(), recording, now_ms).await?;
    }
    Ok(recordings)
}

async fn look_at_break(
    store: &impl Store,
    session: &Session,
    length: u64,
    due_ms: u64,
    now_ms: u64,
) -> Result<Look, Error> {
    let heartbeats = counter::value(store, &key::heartbeats(&session.gateway_key())).await?;
    let before: Option<Look> = read(store, &key::break_look(&session.id)).await?;
    Ok(match before {
        Some(before) if before.heartbeats == heartbeats => before.seen(length, now_ms),
        _ => {
            let is_late = now_ms.saturating_sub(due_ms) > LATE_MS;
            let patience_ms = if is_late { SILENCE_MS.max(session.delay_ms()) } else { SILENCE_MS };
            let looks = before.map_or(0, |before| before.looks + 1);
            let patience_ms = before.map_or(patience_ms, |before| before.patience_ms);
            Look { looks, patience_ms, ..Look::begin(heartbeats, now_ms) }
        }
    })
}

/// Decides the break, if its gateway has told everything up to its end, or is silent. Answers whether it is decided.
async fn decide(
    store: &impl Store,
    bucket: &impl WorkBucket,
    (session, end): (&Session, &End),
    look: &Look,
    due_ms: u64,
    now_ms: u64,
) -> Result<bool, Error> {
    match decision::find::<Break>(bucket, &session::break_name(&session.id)).await? {
        Some(Break::Closed) => return Ok(true),
        Some(Break::Continued(next)) => {
            // The adoption may have died on its way, and its gateway as well.
            if let Some(next) = session::find(store, &next).await? {
                session::complete(store, bucket, &next, now_ms).await?;
            }
            return Ok(true);
        }
        None => {}
    }
    // What a gateway told was heard by one host, and the next push's begin is written down by another.
    let has_told = heard::has_told(store, session, end, due_ms + HOSTS_AGREE_MS).await?;
    let is_silent = look.patience_ms > 0 && look.quiet.ms >= look.patience_ms;
    if has_told || is_silent {
        file::close_break(bucket, &session.id).await?;
    }
    Ok(has_told || is_silent)
}

/// The recording of a session.
pub(crate) async fn recording(store: &impl Store, session: &str) -> Result<Option<String>, Error> {
    Ok(session::adopted(store, session).await?.map(|adopted| adopted.recording))
}
