//! Asks the host for the thing that the request's path names: answers 200 with what it got, or 500 with what went
//! wrong.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, ensure};
use bytes::Bytes;
use http_body_util::BodyExt;
use spin_sdk::experimental::wasi::keyvalue::{atomics, store};
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::http::{FullBody, IntoResponse, Request, Response, StatusCode};
use spin_sdk::key_value::Store;
use spin_sdk::{http, http_service, variables};

#[http_service]
async fn handle(request: Request) -> http::Result<impl IntoResponse> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let outcome = match path.as_str() {
        "/length" => length(request).await,
        "/request" => Ok(describe(&request)),
        "/key-value" => key_value().await,
        "/other-store" => {
            Store::open("other").await.map(|_| String::new()).map_err(|error| anyhow!("{error:?}"))
        }
        "/keys" => keys().await,
        "/increment" => increment(&query),
        "/compare-and-swap" => compare_and_swap(),
        "/variable" => variables::get(&query).await.map_err(|error| anyhow!("{error:?}")),
        "/fetch" => fetch(&query).await,
        "/clock" => clock(),
        "/random" => Ok(random()),
        "/allocate" => allocate(&query),
        "/trap" => panic!("asked to trap"),
        "/wait" => wait(&query).await,
        "/compute" => compute(&query),
        "/isolation" => isolation(),
        "/print" => {
            println!("printed to stdout");
            eprintln!("printed to stderr");
            Ok(String::new())
        }
        _ => Err(anyhow!("unknown path {path:?}")),
    };
    let (status, text) = match outcome {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")),
    };
    Ok(Response::builder().status(status).body(FullBody::new(Bytes::from(text)))?)
}

/// Reads the body in pieces and answers its length and the sum of its bytes.
async fn length(request: Request) -> Result<String> {
    let mut body = request.into_body();
    let (mut length, mut sum) = (0u64, 0u64);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| anyhow!("{error:?}"))?;
        if let Some(chunk) = frame.data_ref() {
            length += chunk.len() as u64;
            sum += chunk.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        }
    }
    Ok(format!("{length} {sum}"))
}

fn describe(request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    text
}

async fn key_value() -> Result<String> {
    let failed = |error: spin_sdk::key_value::Error| anyhow!("{error:?}");
    let store = Store::open_default().await.map_err(failed)?;
    store.delete("a").await.map_err(failed)?;
    ensure!(!store.exists("a").await.map_err(failed)?, "a deleted key exists");
    ensure!(store.get("a").await.map_err(failed)?.is_none(), "a deleted key has a value");
    store.set("a", b"\x00\xff").await.map_err(failed)?;
    ensure!(store.exists("a").await.map_err(failed)?, "a set key does not exist");
    ensure!(
        store.get("a").await.map_err(failed)?.as_deref() == Some(b"\x00\xff"),
        "a value came back changed"
    );
    store.set("a", b"").await.map_err(failed)?;
    ensure!(store.get("a").await.map_err(failed)?.as_deref() == Some(b""), "an empty value is lost");
    let again = Store::open_default().await.map_err(failed)?;
    ensure!(again.exists("a").await.map_err(failed)?, "a second handle does not see the first one's write");
    Ok(String::new())
}

async fn keys() -> Result<String> {
    let store = Store::open_default().await.map_err(|error| anyhow!("{error:?}"))?;
    let keys = store.get_keys().await.collect().await.map_err(|error| anyhow!("{error:?}"))?;
    Ok(keys.join(" "))
}

fn increment(key: &str) -> Result<String> {
    let bucket = store::open("default").map_err(|error| anyhow!("{error:?}"))?;
    let sum = atomics::increment(&bucket, key, 1).map_err(|error| anyhow!("{error:?}"))?;
    Ok(sum.to_string())
}

fn compare_and_swap() -> Result<String> {
    let bucket = store::open("default").map_err(|error| anyhow!("{error:?}"))?;
    atomics::Cas::new(&bucket, "a").map_err(|error| anyhow!("{error:?}"))?;
    Ok(String::new())
}

/// Sends GET to the URL and answers its status and its body's length.
async fn fetch(url: &str) -> Result<String> {
    let response = http::get(url).await.map_err(|error| anyhow!("{error:?}"))?;
    let status = response.status();
    let body = response.into_body().bytes().await.map_err(|error| anyhow!("{error:?}"))?;
    Ok(format!("{} {}", status.as_u16(), body.len()))
}

/// Wall-clock milliseconds since the epoch, and the nanoseconds of monotonic time that reading it took.
fn clock() -> Result<String> {
    let before = Instant::now();
    let wall = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(format!("{} {}", wall.as_millis(), before.elapsed().as_nanos()))
}

fn random() -> String {
    use std::hash::{BuildHasher, RandomState};

    format!("{:016x}", RandomState::new().hash_one(()))
}

fn allocate(mebibytes: &str) -> Result<String> {
    let bytes = mebibytes.parse::<usize>()? << 20;
    let mut memory: Vec<u8> = Vec::new();
    memory.try_reserve_exact(bytes).context("refused")?;
    memory.resize(bytes, 1);
    Ok(memory.iter().map(|byte| u64::from(*byte)).sum::<u64>().to_string())
}

async fn wait(milliseconds: &str) -> Result<String> {
    let duration = Duration::from_millis(milliseconds.parse()?);
    spin_sdk::wasip3::clocks::monotonic_clock::wait_for(duration.as_nanos() as u64).await;
    Ok(String::new())
}

fn compute(rounds: &str) -> Result<String> {
    let mut state = 1u64;
    for _ in 0..rounds.parse::<u64>()? {
        state = std::hint::black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
    Ok(state.to_string())
}

/// Checks that the guest has no environment, no arguments, no files and no sockets.
fn isolation() -> Result<String> {
    ensure!(std::env::vars().next().is_none(), "there is an environment");
    ensure!(std::fs::read_dir("/").is_err(), "the root folder can be read");
    ensure!(std::fs::write("/x", "x").is_err(), "a file can be written");
    ensure!(std::fs::metadata("/").is_err(), "the root folder is there");
    ensure!(std::net::TcpStream::connect("127.0.0.1:1").is_err(), "a socket connects");
    ensure!(std::net::TcpListener::bind("127.0.0.1:0").is_err(), "a socket listens");
    ensure!(std::net::UdpSocket::bind("127.0.0.1:0").is_err(), "a datagram socket is bound");
    ensure!(std::net::ToSocketAddrs::to_socket_addrs("localhost:1").is_err(), "a name is looked up");
    Ok(String::new())
}
