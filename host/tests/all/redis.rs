//! The store in Redis, on a real server: what it keeps, what lies in it, and which servers it refuses.

#[path = "../../../tests/src/redis.rs"]
#[expect(dead_code, unreachable_pub, reason = "the end-to-end tests need more of it, from another crate")]
mod server;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use futures::future::join_all;
use host::RuntimeConfig;
use host::key_value::KeyValue;
use host::key_value::redis::{RedisStore, UnsafeStore};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::metrics::value;
use crate::support::{builder, get, manifest};
use server::{Redis, SAFE, is_installed};

async fn connect(redis: &Redis) -> anyhow::Result<RedisStore> {
    RedisStore::connect(&redis.url(), UnsafeStore::Refuse).await
}

/// Why a server is refused.
async fn refusal(url: &str) -> String {
    format!("{:#}", RedisStore::connect(url, UnsafeStore::Refuse).await.err().unwrap())
}

#[tokio::test]
async fn two_hosts_see_what_either_was_acknowledged() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start(folder.path(), SAFE).unwrap();
    let (one, two) = (connect(&redis).await.unwrap(), connect(&redis).await.unwrap());
    let bytes: Vec<u8> = (0..=255).collect();
    one.set("m.a".into(), bytes.clone()).await.unwrap();
    one.set("m.b".into(), Vec::new()).await.unwrap();
    assert_eq!(two.get("m.a").await.unwrap(), Some(bytes));
    assert_eq!(two.get("m.b").await.unwrap(), Some(Vec::new()));
    assert_eq!(two.get("absent").await.unwrap(), None);
    two.delete("m.a".into()).await.unwrap();
    two.delete("absent".into()).await.unwrap();
    assert!(!one.exists("m.a").await.unwrap());
    assert_eq!(one.increment("n".into(), 5).await.unwrap(), 5);
    assert_eq!(two.increment("n".into(), -7).await.unwrap(), -2);
    assert_eq!(two.increment("n".into(), 0).await.unwrap(), -2);
    assert!(one.exists("n").await.unwrap());
    assert_eq!(one.keys().await.unwrap(), ["m.b", "n"]);

    let stores = [Arc::new(one), Arc::new(two)];
    let numbers = (0..200).map(|at| {
        let store = stores[at % 2].clone();
        async move { store.increment("sum".into(), 1).await.unwrap() }
    });
    let numbers: BTreeSet<i64> = join_all(numbers).await.into_iter().collect();
    assert_eq!(numbers, (1..=200).collect());
}

#[tokio::test]
async fn what_lies_in_it_is_what_spin_lays_down() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start(folder.path(), SAFE).unwrap();
    // Another database than the first, as the URL may say.
    let config = folder.path().join("runtime-config.toml");
    std::fs::write(&config, redis.runtime_config().replace("/\"", "/3\"")).unwrap();
    let config = RuntimeConfig::load(&config).unwrap();
    let store = config.default_store.open(Path::new("unused"), UnsafeStore::Refuse).await.unwrap();
    store.set("m.k".into(), b"value".to_vec()).await.unwrap();
    store.increment("n".into(), 41).await.unwrap();
    let asked = redis.ask("SELECT 3\r\nGET m.k\r\nGET n\r\nINCRBY n 1\r\nDBSIZE\r\n", ":2\r\n").unwrap();
    assert_eq!(asked, "+OK\r\n$5\r\nvalue\r\n$2\r\n41\r\n:42\r\n:2\r\n");
    // And what Spin adds to a counter is seen here.
    assert_eq!(store.increment("n".into(), 1).await.unwrap(), 43);
}

#[tokio::test]
async fn an_increment_that_cannot_be_changes_nothing() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start(folder.path(), SAFE).unwrap();
    let store = connect(&redis).await.unwrap();
    store.set("text".into(), b"abc".to_vec()).await.unwrap();
    let error = store.increment("text".into(), 1).await.unwrap_err().to_string();
    assert!(error.contains("not an integer"), "{error}");
    assert_eq!(store.get("text").await.unwrap().as_deref(), Some(&b"abc"[..]));
    store.increment("n".into(), i64::MAX).await.unwrap();
    let error = store.increment("n".into(), 1).await.unwrap_err().to_string();
    assert!(error.contains("overflow"), "{error}");
    assert_eq!(store.increment("n".into(), 0).await.unwrap(), i64::MAX);
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_of_the_server_and_the_store_finds_it_again() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut redis = Redis::start(folder.path(), SAFE).unwrap();
    let store = connect(&redis).await.unwrap();
    for _ in 0..50 {
        store.increment("n".into(), 1).await.unwrap();
    }
    let port = redis.port();
    redis.kill().unwrap();
    let redis = Redis::start_on(port, folder.path(), SAFE).unwrap();
    // A command that meets the broken connection fails, once; it is not sent again by itself.
    let mut value = store.increment("n".into(), 0).await;
    if value.is_err() {
        value = store.increment("n".into(), 0).await;
    }
    assert_eq!(value.unwrap(), 50);
    drop(redis);
    let error = store.get("n").await.unwrap_err().to_string();
    assert!(error.contains("the key-value store failed"), "{error}");
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_acknowledged_is_refused_unless_that_is_allowed() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start(folder.path(), &["--appendonly", "yes", "--appendfsync", "everysec"]).unwrap();
    let refused = refusal(&redis.url()).await;
    let address = format!("127.0.0.1:{}", redis.port());
    for said in ["set `appendfsync always`", "\"everysec\"", "--allow-unsafe-store", &address] {
        assert!(refused.contains(said), "{refused}");
    }
    let store = RedisStore::connect(&redis.url(), UnsafeStore::Allow).await.unwrap();
    assert_eq!(store.increment("n".into(), 1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_that_does_not_show_its_settings_is_used() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let without_config = ["--user", "default", "on", "nopass", "~*", "+@all", "-config"];
    for hidden in [&["--rename-command", "CONFIG", ""][..], &without_config] {
        let redis = Redis::start(folder.path(), hidden).unwrap();
        let store = connect(&redis).await.unwrap();
        store.set("k".into(), b"v".to_vec()).await.unwrap();
    }
}

#[tokio::test]
async fn a_replica_and_a_server_that_is_away_are_named() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let primary = Redis::start(&folder.path().join("primary"), SAFE).unwrap();
    let of_primary = format!("127.0.0.1 {}", primary.port());
    let settings = [SAFE, &["--replicaof", &of_primary][..]].concat();
    let replica = Redis::start(&folder.path().join("replica"), &settings).unwrap();
    let refused = refusal(&replica.url()).await;
    assert!(refused.contains(&format!("a replica of 127.0.0.1:{}", primary.port())), "{refused}");

    let url = format!("redis://:hidden@127.0.0.1:{}/", replica.port());
    drop(replica);
    let refused = refusal(&url).await;
    assert!(refused.contains("cannot be reached") && !refused.contains("hidden"), "{refused}");
    let refused = refusal("http://127.0.0.1/").await;
    assert!(refused.contains("URL of Redis"), "{refused}");
}

/// An address that leads to whichever server has this port just then, as those do that follow a failover.
async fn lead(to: Arc<AtomicU16>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut near, _) = listener.accept().await.unwrap();
            let port = to.load(Ordering::SeqCst);
            tokio::spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                // It ends with the server.
                _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    address
}

/// This is a limit of Redis: replicas follow, and what a primary has acknowledged need not be on one.
#[tokio::test]
async fn a_failover_to_a_replica_that_lacks_writes_is_not_told_from_a_restart() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at_once = [SAFE, &["--repl-diskless-sync-delay", "0"][..]].concat();
    let mut primary = Redis::start(&folder.path().join("primary"), &at_once).unwrap();
    let of_primary = format!("127.0.0.1 {}", primary.port());
    let settings = [SAFE, &["--replicaof", &of_primary][..]].concat();
    let replica = Redis::start(&folder.path().join("replica"), &settings).unwrap();
    let leads_to = Arc::new(AtomicU16::new(primary.port()));
    let url = format!("redis://{}/", lead(Arc::clone(&leads_to)).await);
    let store = RedisStore::connect(&url, UnsafeStore::Refuse).await.unwrap();
    assert_eq!(store.increment("n".into(), 1).await.unwrap(), 1);
    primary.ask("SET mark 1\r\nWAIT 1 15000\r\n", "+OK\r\n:1\r\n").unwrap();

    // The replica hears no more of the primary, as where the network between them is down. Nobody is there at port 1.
    replica.ask("REPLICAOF 127.0.0.1 1\r\n", "+OK\r\n").unwrap();
    store.set("m.lost".into(), b"acknowledged".to_vec()).await.unwrap();
    assert_eq!(store.increment("n".into(), 1).await.unwrap(), 2);

    primary.kill().unwrap();
    replica.ask("REPLICAOF NO ONE\r\n", "+OK\r\n").unwrap();
    leads_to.store(replica.port(), Ordering::SeqCst);
    // A command that meets the broken connection fails, once, as where a server is restarted.
    let mut mark = store.get("mark").await;
    if mark.is_err() {
        mark = store.get("mark").await;
    }
    assert_eq!(mark.unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(store.get("m.lost").await.unwrap(), None);
    assert_eq!(store.increment("n".into(), 1).await.unwrap(), 2, "a number is drawn a second time");
    // Whoever starts now finds a server that keeps what it acknowledges.
    RedisStore::connect(&url, UnsafeStore::Refuse).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_gone_makes_a_host_unwell_until_it_answers_again() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut redis = Redis::start(folder.path(), SAFE).unwrap();
    let store = Arc::new(connect(&redis).await.unwrap());
    let component = "source = \"probe.wasm\"\nkey_value_stores = [\"default\"]";
    let host = builder(manifest(component)).key_value(store).build().unwrap();
    get(&host, "/increment?a").await.granted();
    let failing = || value(&host, "live_recorder_key_value_failing");
    assert_eq!((failing(), host.health().is_ok()), (0.0, true));
    redis.kill().unwrap();
    get(&host, "/increment?a").await.refused();
    assert_eq!((failing(), host.health().is_ok()), (1.0, false));
    let _redis = Redis::start_on(redis.port(), folder.path(), SAFE).unwrap();
    let begun = std::time::Instant::now();
    while get(&host, "/increment?a").await.status != http::StatusCode::OK {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30));
    }
    assert_eq!((failing(), host.health().is_ok()), (0.0, true));
}
