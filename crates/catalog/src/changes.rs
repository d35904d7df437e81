//! What gateways have not heard of: sessions that have new orders, or whose pushes are to end.
//!
//! Whoever gives an order, or has a push end, appends the session to the gateway's [list](crate::list); its heartbeat names the last
//! number that it has heard of. A number that is drawn and not yet written holds the answer's `since` before it until
//! its writer is over: the sessions after it are told at once, and again.

use serde::{Deserialize, Serialize};
use store::Store;

use crate::error::Error;
use crate::time::CALL_MAX_MS;
use crate::{key, list};

/// Entries that one heartbeat deletes.
const DELETED_AT_ONCE: u64 = 16;

/// Numbers up to `count` were drawn when `number` was seen not to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hole {
    number: u64,
    count: u64,
    /// When it was seen first, Unix milliseconds.
    seen_ms: u64,
    /// When a call's time was over since then, Unix milliseconds; 0 before. It passes twice: one of two hosts may be an hour
    /// ahead, and look right after the other one.
    #[serde(default)]
    waited_ms: u64,
}

impl Hole {
    /// Looks at it again.
    fn seen(self, now_ms: u64) -> Self {
        let is_over = self.waited_ms == 0 && now_ms >= self.seen_ms + CALL_MAX_MS;
        Self { waited_ms: if is_over { now_ms } else { self.waited_ms }, ..self }
    }

    /// Whether a number that is not written will never be.
    fn is_over(self, number: u64, now_ms: u64) -> bool {
        number <= self.count && self.waited_ms > 0 && now_ms >= self.waited_ms + CALL_MAX_MS
    }
}

/// What a gateway has not heard of.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Everything up to here is heard.
    pub(crate) since: u64,
    /// What the gateway says that it has heard of; 0 where its numbers are those of a lost store.
    pub(crate) heard: u64,
    /// Sessions of which there is something new, each once.
    pub(crate) sessions: Vec<String>,
    /// The first number that may still be written.
    pub(crate) hole: Option<Hole>,
}

/// Lets a gateway hear of a session's orders, and of its end. `gateway` is its key.
pub(crate) async fn notify(store: &impl Store, gateway: &str, session: &str) -> Result<(), Error> {
    list::append(store, &key::changes(gateway), session).await?;
    Ok(())
}

/// How many numbers were drawn.
pub(crate) async fn count(store: &impl Store, gateway: &str) -> Result<u64, Error> {
    list::count(store, &key::changes(gateway)).await
}

/// What came after the number `since`.
pub(crate) async fn after(
    store: &impl Store,
    gateway: &str,
    since: u64,
    hole: Option<Hole>,
    now_ms: u64,
) -> Result<News, Error> {
    let list = key::changes(gateway);
    let hole = hole.map(|hole| hole.seen(now_ms));
    let count = count(store, gateway).await?;
    let heard = if since > count { 0 } else { since };
    let mut news = News { since: count, heard, ..News::default() };
    for number in heard + 1..=count {
        match list::get(store, &list, number).await? {
            Some(session) if !news.sessions.contains(&session) => news.sessions.push(session),
            Some(_) => {}
            None if news.hole.is_some() || hole.is_some_and(|hole| hole.is_over(number, now_ms)) => {}
            None => {
                let known = hole.filter(|hole| hole.number == number);
                news.hole = Some(known.unwrap_or(Hole { number, count, seen_ms: now_ms, waited_ms: 0 }));
                news.since = number - 1;
            }
        }
    }
    news.hole = news.hole.or(hole.filter(|hole| hole.number > heard));
    Ok(news)
}

/// Deletes what a gateway has heard of, a part at a time; answers up to which number.
pub(crate) async fn forget(store: &impl Store, gateway: &str, from: u64, since: u64) -> Result<u64, Error> {
    let list = key::changes(gateway);
    let to = since.min(from + DELETED_AT_ONCE);
    for number in from + 1..=to {
        list::delete(store, &list, number).await?;
    }
    Ok(to.max(from))
}

#[cfg(test)]
mod tests {
    use store::counter;
    use store::memory::{MemoryStore, run};

    use super::*;

    const GATEWAY: &str = "g.x";
    const NOW: u64 = 1_800_000_000_000;

    fn notified(sessions: &[&str]) -> MemoryStore {
        let store = MemoryStore::default();
        sessions.iter().for_each(|session| run(notify(&store, GATEWAY, session)).unwrap());
        store
    }

    #[test]
    fn what_came_since_a_number_is_told_each_session_once_and_all_to_one_of_a_lost_store() {
        let store = notified(&["a", "b", "a", "c", "a"]);
        for (since, heard, sessions) in
            [(0, 0, &["a", "b", "c"][..]), (2, 2, &["a", "c"]), (5, 5, &[]), (9, 0, &["a", "b", "c"])]
        {
            let news = run(after(&store, GATEWAY, since, None, NOW)).unwrap();
            assert_eq!((news.since, news.heard, news.hole), (5, heard, None), "since {since}");
            assert_eq!(news.sessions, sessions, "since {since}");
        }
    }

    #[test]
    fn a_number_that_is_not_written_holds_the_answer_until_a_call_has_been_over_twice() {
        let store = notified(&["a"]);
        run(counter::add(&store, &format!("{}.n", key::changes(GATEWAY)), 1)).unwrap();
        run(notify(&store, GATEWAY, "c")).unwrap();
        let mut hole = None;
        for (after_ms, since) in [
            (0, 1),
            (1, 1),
            (CALL_MAX_MS - 1, 1),
            (CALL_MAX_MS, 1),
            (CALL_MAX_MS + 1, 1),
            (2 * CALL_MAX_MS - 1, 1),
            (2 * CALL_MAX_MS, 3),
        ] {
            let news = run(after(&store, GATEWAY, 1, hole, NOW + after_ms)).unwrap();
            assert_eq!((news.since, news.sessions), (since, vec!["c".to_owned()]), "{after_ms}");
            hole = news.hole;
        }
        assert!(hole.is_some());
        // What is heard of is past it.
        for since in [2, 3] {
            assert_eq!(run(after(&store, GATEWAY, since, hole, NOW)).unwrap().hole, None);
        }
    }

    #[test]
    fn what_is_heard_is_deleted_a_part_at_a_time_and_nothing_else_is() {
        let store = notified(&["a"; 40]);
        let is_left =
            |number: &u64| run(list::get(&store, &key::changes(GATEWAY), *number)).unwrap().is_some();
        let (mut to, mut steps) = (0, Vec::new());
        for _ in 0..4 {
            to = run(forget(&store, GATEWAY, to, 35)).unwrap();
            assert_eq!((1..=40).filter(is_left).collect::<Vec<_>>(), (to + 1..=40).collect::<Vec<_>>());
            steps.push(to);
        }
        assert_eq!(steps, [16, 32, 35, 35]);
        assert_eq!(run(forget(&store, GATEWAY, 35, 3)).unwrap(), 35);
    }
}
