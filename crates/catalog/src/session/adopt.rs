//! Adoption: an offered session becomes part of its stream.

use store::Store;
use store::record::write;

use super::{Adopted, Break, Continuation, Session, adopted, break_name, object_name};
use crate::decision::{self, WorkBucket};
use crate::error::Error;
use crate::time::CALL_MAX_MS;
use crate::{changes, days, key, list, timer};

/// Makes an offered session part of its stream. Told by its gateway or by its first chunk, however often.
///
/// Whether it continues the recording before is decided here and nowhere else, against the tick that closes it.
///
/// # Errors
/// [`Error::NoSuchSession`] once the offer has expired; the store or the work bucket failed.
pub async fn adopt(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    now_ms: u64,
) -> Result<Adopted, Error> {
    if let Some(adopted) = adopted(store, &session.id).await? {
        return Ok(adopted);
    }
    let object: Option<Session> =
        decision::decide(bucket, &object_name(&session.id), &Some(session.clone())).await?;
    if object.is_none() {
        // The offer has expired.
        return Err(Error::NoSuchSession(session.id.clone()));
    }
    announce(store, session, now_ms).await?;
    let mut adopted = Adopted { recording: session.id.clone(), continues: None, files_from: None };
    if let Some(before) = &session.continues {
        let proposal = Break::Continued(session.id.clone());
        let decided: Break = decision::decide(bucket, &break_name(before), &proposal).await?;
        if decided == proposal
            && let Some(before) = super::find(store, before).await?
        {
            // A gateway that names the session before has adopted it, though its chunks and heartbeat may not have come.
            let chain = Box::pin(adopt(store, bucket, &before, now_ms)).await?;
            adopted =
                Adopted { recording: chain.recording, continues: Some(before.id.clone()), files_from: None };
            let continuation = Continuation { session: session.id.clone() };
            write(store, &key::continued(&before.id), &continuation).await?;
        }
    }
    write(store, &key::adopted(&session.id), &adopted).await?;
    timer::set(store, now_ms, &look(session)).await?;
    Ok(adopted)
}

/// Completes an adoption that died on its way. A later boot of the spool may have told by then which sessions it holds:
/// it hears of this one, and says so if it does not hold it.
pub(crate) async fn complete(
    store: &impl Store,
    bucket: &impl WorkBucket,
    session: &Session,
    now_ms: u64,
) -> Result<(), Error> {
    let is_over = super::find(store, &session.id).await?.is_none();
    if is_over || adopted(store, &session.id).await?.is_some() {
        return Ok(());
    }
    adopt(store, bucket, session, now_ms).await?;
    changes::notify(store, &session.gateway_key(), &session.id).await
}

/// Puts a session where it is found from. Readers of the lists pass over it until it is adopted.
pub(crate) async fn announce(store: &impl Store, session: &Session, now_ms: u64) -> Result<(), Error> {
    let Session { id, stream, .. } = session;
    let gateway = session.gateway_key();
    days::note_session(store, stream, days::day(session.began_ms), id, now_ms).await?;
    list::append(store, &key::live_of_stream(&stream.key()), id).await?;
    list::append(store, &key::live_of_domain(&stream.domain), id).await?;
    list::append(store, &key::live_of_gateway(&gateway), id).await?;
    // A look that comes before the session is adopted does not see it, nor does a later boot.
    timer::set_all(store, now_ms + CALL_MAX_MS, [&look(session), &format!("o {id}")]).await
}

/// The timer of looks at a session's gateway.
fn look(session: &Session) -> String {
    format!("g {}", session.gateway_key())
}
