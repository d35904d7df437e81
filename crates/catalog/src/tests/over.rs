//! When a session is over.

use store::memory::run;

use super::world::World;
use crate::seal::over;
use crate::time::Retention;
use crate::{committed, session};

/// Whether a session is over at a moment, where those that are `leaving` leave with it.
pub(crate) fn is_over(world: &World, id: &str, leaving: &[&str], kept: Retention, now_ms: u64) -> bool {
    let leaving = leaving.iter().map(|id| (*id).to_owned()).collect();
    run(async {
        let (store, bucket) = (&world.store, &world.bucket);
        let session = session::get(store, bucket, id).await.unwrap();
        let adopted = session::adopted(store, id).await.unwrap().unwrap();
        let end = session::ended(store, id).await.unwrap().unwrap();
        let last = committed::last(store, id).await.unwrap();
        let length = last.as_ref().map_or(0, |(seq, _)| seq + 1);
        let chunks = (length, last.as_ref().map(|(_, last)| last));
        let of = (&session, &adopted, &end);
        over::of(store, bucket, of, chunks, &leaving, kept, now_ms).await.unwrap().is_some()
    })
}
