use protocol::{ChunkPolicy, Generation, Order};

use super::*;
use crate::{
    queue::{self, Answered, QueueWriter},
    spool::{Account, Push, Record, Spool},
    tell::Tell,
};

/// A push of a stream that has a session.
async fn begun(spool: &Arc<Spool>, stream: &str, began: Instant) -> (QueueWriter, QueueReader, Arc<Account>) {
    let (id, domain, app) = (format!("p-{stream}"), "d".into(), "a".into());
    let push = Push { id, domain, app, stream: stream.into(), ..Push::default() };
    let account = spool.account(&Record::new(push.clone()).stream_path().unwrap());
    let folder = spool.pushes().join(&push.id);
    let tell = Arc::new(Tell::default());
    let (writer, reader) = queue::create(push, folder, Arc::clone(&account), &tell).unwrap();
    writer.begin(began);
    writer.frame(2_000);
    let answered = Answered { sent: began, received: began, began };
    let order = Order { generation: Generation::default(), record: true, age_ms: Some(0), in_ms: None };
    writer.settle(&Default::default(), None);
    reader.adopt(spool, &format!("session-{stream}"), ChunkPolicy::default(), &[order], answered).await;
    (writer, reader, account)
}

#[tokio::test]
async fn of_a_push_that_is_brought_no_more_is_kept_than_the_next_one_is_told() {
    let root = tempfile::tempdir().unwrap();
    let spool = Spool::open(root.path(), Some(1 << 30)).unwrap();
    let began = Instant::now();
    let (writer, reader, account) = begun(&spool, "s", began).await;
    let path = reader.path().clone();
    let mut streams = Streams::default();
    streams.streams.entry(path.clone()).or_default().pushes.push(reader.clone());
    streams.begun(&reader);
    let after = |streams: &Streams| {
        let after = streams.streams[&path].last.as_ref().unwrap().after(began + Duration::from_millis(7_000));
        after.map(|after| (after.session, after.gap_ms))
    };
    assert_eq!(after(&streams), Some(("session-s".into(), 5_000)));
    // The last frame of one that is live still comes.
    writer.frame(3_000);
    assert_eq!(after(&streams), Some(("session-s".into(), 4_000)));
    writer.end();
    streams.over(&reader);
    drop(reader);
    assert_eq!(after(&streams), Some(("session-s".into(), 4_000)));
    assert_eq!(Arc::strong_count(&account), 1, "the push should have gone");
}

#[tokio::test]
async fn one_that_is_refused_is_not_continued_and_leaves_the_one_before() {
    let root = tempfile::tempdir().unwrap();
    let spool = Spool::open(root.path(), Some(1 << 30)).unwrap();
    let began = Instant::now();
    let (_writer, first, _) = begun(&spool, "s", began).await;
    let (_other, refused, _) = begun(&spool, "s", began).await;
    let mut streams = Streams::default();
    streams.streams.entry(first.path().clone()).or_default().pushes.push(first.clone());
    streams.begun(&first);
    streams.over(&refused);
    assert!(matches!(&streams.streams[first.path()].last, Some(Before::Waiting(last)) if last.is(&first)));
}

#[test]
fn streams_are_forgotten_by_age_and_by_number_and_none_of_which_something_waits() {
    // Clocks begin at different moments, some of them now.
    let now = Instant::now() + 2 * FORGOTTEN;
    let ago = |seconds| now - Duration::from_secs(seconds);
    let mut streams = Streams::default();
    let mut add = |name: &str, last_frame| {
        let last = Some(Before::Brought { session: "x".into(), last_frame });
        let path = StreamPath::new("d", "a", name).unwrap();
        streams.streams.insert(path, Stream { last, ..Stream::default() });
    };
    for at in 0..MOST_QUIET as u64 + 100 {
        add(&format!("n{at}"), ago(at / 100));
    }
    add("old", ago(FORGOTTEN.as_secs() + 1));
    streams.forget(now);
    let has = |name: &str| streams.streams.contains_key(&StreamPath::new("d", "a", name).unwrap());
    assert!(has("n0") && has(&format!("n{}", MOST_QUIET - 1)));
    assert!(!has(&format!("n{}", MOST_QUIET + 99)) && !has("old"));
    assert!(streams.streams.len() <= MOST_QUIET + 100, "{}", streams.streams.len());
}
