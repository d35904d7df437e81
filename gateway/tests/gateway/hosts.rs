//! Functions on several hosts: calls go to them in turn, and past those that fail.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use tokio::net::TcpListener;

use crate::{
    Gateway,
    fake::{Act, Call, Fake, Kind},
    functions,
    media::{SHAPE, frames, write_flv},
};

/// Calls by host and kind.
type Calls = Arc<Mutex<BTreeMap<(SocketAddr, String), u64>>>;

/// Functions that count their calls, where `act` says what becomes of each.
async fn counting(act: impl Fn(&Call, u64) -> Act + Send + 'static) -> (Fake, Calls) {
    let calls = Calls::default();
    let counted = Arc::clone(&calls);
    let functions = Fake::start(move |call| {
        let mut counted = counted.lock().unwrap();
        let count = counted.entry((call.host, format!("{:?}", call.kind))).or_default();
        *count += 1;
        act(call, *count)
    })
    .await;
    (functions, calls)
}

fn count(calls: &Calls, host: &Fake, kind: Kind) -> u64 {
    let calls = calls.lock().unwrap();
    calls.get(&(host.address, format!("{kind:?}"))).copied().unwrap_or_default()
}

/// Pushes once against functions at these addresses, and checks that all of it has come.
async fn check(urls: &str, functions: &Fake, folder: &Path) {
    let file = folder.join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let gateway = Gateway::start(urls, &folder.join("spool")).await;
    gateway.push(&file, "x").await.unwrap();
    let sessions = functions.ended(1).await;
    assert!(frames(&sessions[0].chunks) == pushed);
    assert_eq!(sessions[0].chunks.len(), 4);
    gateway.stop().await;
}

#[tokio::test]
async fn the_chunks_of_a_session_go_to_every_host() {
    let folder = tempfile::tempdir().unwrap();
    let (one, calls) = counting(|_, _| Act::Succeed).await;
    let two = one.another_host().await;
    check(&format!("{},{}", one.url(), two.url()), &one, folder.path()).await;
    let chunks = [&one, &two].map(|host| count(&calls, host, Kind::Chunk));
    assert!(chunks.iter().all(|count| *count > 0) && chunks.iter().sum::<u64>() == 4, "{chunks:?}");
}

#[tokio::test]
async fn a_host_that_is_away_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let away_url = format!("http://{}", away.local_addr().unwrap());
    drop(away);
    check(&format!("{away_url},{}", functions.url()), &functions, folder.path()).await;
    // The publisher was admitted by the functions, not for want of their answer.
    assert_eq!(functions.log().asked.len(), 1);
}

#[tokio::test]
async fn a_host_that_dies_in_mid_push_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.flv");
    let pushed = write_flv(&file, SHAPE);
    let (one, calls) = counting(|call, _| match call.kind {
        // What was done when the connection broke is done once.
        Kind::Chunk if call.seq == 1 && call.nth == 1 => Act::LoseReply,
        _ => Act::Succeed,
    })
    .await;
    let two = one.another_host().await;
    let spool = folder.path().join("spool");
    let gateway = Gateway::start(&format!("{},{}", one.url(), two.url()), &spool).await;
    let (pushing, dying) = tokio::join!(gateway.push(&file, "x"), async {
        one.until("a chunk", |log| log.sessions.iter().any(|session| !session.chunks.is_empty())).await;
        drop(two);
    });
    let () = dying;
    pushing.unwrap();
    let sessions = one.ended(1).await;
    assert!(frames(&sessions[0].chunks) == pushed);
    assert!(count(&calls, &one, Kind::Chunk) >= 2);
    gateway.stop().await;
}

#[tokio::test]
async fn a_host_behind_a_proxy_that_fails_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let bad = Arc::new(Mutex::new(None));
    let is_bad = Arc::clone(&bad);
    let (good, calls) =
        counting(
            move |call, _| {
                if *is_bad.lock().unwrap() == Some(call.host) { Act::Foreign(502) } else { Act::Succeed }
            },
        )
        .await;
    let second = good.another_host().await;
    *bad.lock().unwrap() = Some(second.address);
    check(&format!("{},{}", good.url(), second.url()), &good, folder.path()).await;
    assert_eq!(count(&calls, &good, Kind::Chunk), 4);
    // In turn it would have been asked for half of the calls. It is left alone after the first, and then tried by one
    // call at a time, less and less often.
    let all = |host: &Fake| {
        let calls = calls.lock().unwrap();
        calls.iter().filter(|((called, _), _)| *called == host.address).map(|(_, count)| count).sum::<u64>()
    };
    assert!(all(&second) >= 1, "it has its turn");
    assert!(all(&second) * 2 < all(&good), "{} calls of {}", all(&second), all(&good));
}

#[tokio::test]
async fn what_the_functions_themselves_answer_is_no_fault_of_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let (one, calls) = counting(|call, _| match (call.kind, call.nth) {
        (Kind::Chunk, 0) => crate::fake::fail(503),
        _ => Act::Succeed,
    })
    .await;
    let two = one.another_host().await;
    check(&format!("{},{}", one.url(), two.url()), &one, folder.path()).await;
    // Both still have their turns: five tries of four chunks cannot all have gone to one.
    let chunks = [&one, &two].map(|host| count(&calls, host, Kind::Chunk));
    assert!(chunks.iter().all(|count| *count > 0) && chunks.iter().sum::<u64>() == 5, "{chunks:?}");
}
