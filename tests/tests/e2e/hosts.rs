//! Several hosts of the functions, which share a Redis, and several gateways: one of each dies in mid-push.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use bucket_server::{BucketConfig, BucketServer, KeepFree};
use harness::functions::Functions;
use harness::gateway::Gateway;
use harness::redis::{Redis, SAFE, is_installed};
use harness::site::Site;
use harness::{api, bucket, ffmpeg, nal};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::judge::{Expected, frames, hashes, is_whole};
use crate::publisher::Publisher;
use crate::source::{Clip, LONG, clip, clip_file};
use crate::stage::Recorded;

const DOMAIN: &str = "hosts.example.com";
const APP: &str = "live";

/// Length of the slices and silence after which a record file closes, in seconds.
const SLICE_S: &str = "5";
const DELAY_S: u64 = 15;

/// How long whatever is waited for may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Streams pushed to the gateway that lives on, and to the one that dies.
const ON_THE_LIVING: [&str; 3] = ["living-0", "living-1", "living-2"];
const ON_THE_DYING: [&str; 3] = ["dying-0", "dying-1", "dying-2"];

/// Redis, a bucket server, two hosts and two gateways. Each gateway begins with another host.
struct Cluster {
    gateways: [Option<Gateway>; 2],
    hosts: [Functions; 2],
    _redis: Redis,
    bucket: String,
    folder: PathBuf,
    /// Runs the bucket server.
    _runtime: Runtime,
}

impl Cluster {
    fn start(folder: &Path) -> Result<Self> {
        let runtime = Runtime::new()?;
        let bucket_server = BucketServer::open(&BucketConfig {
            directory: folder.join("buckets"),
            access_key_id: "testid".into(),
            access_key_secret: "testsecret".into(),
            buckets: vec!["recordings".into(), "work".into()],
            public_read: false,
            keep_free: KeepFree::NOTHING,
        })?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let bucket = format!("http://{}", listener.local_addr()?);
        runtime.spawn(bucket_server.serve(listener, CancellationToken::new()));
        let redis = Redis::start(&folder.join("redis"), SAFE)?;
        let host = |name: &str| Functions::start(&folder.join(name), &redis, &bucket, &[]);
        let hosts = [host("host-0")?, host("host-1")?];
        let urls = [0, 1].map(|first| format!("{},{}", hosts[first].url, hosts[1 - first].url));
        let gateway = |at: usize| Gateway::start(&urls[at], &folder.join(format!("gateway-{at}")));
        let gateways = [Some(gateway(0)?), Some(gateway(1)?)];
        Ok(Self { gateways, hosts, _redis: redis, bucket, folder: folder.into(), _runtime: runtime })
    }

    fn rtmp(&self, gateway: usize) -> String {
        self.gateways[gateway].as_ref().unwrap().rtmp.clone()
    }

    /// Slices of a stream that are in the bucket: what was acknowledged, and what is just being.
    fn slices(&self, stream: &str) -> Vec<PathBuf> {
        let objects = bucket::objects(self, "recordings", &format!("record/{APP}/{stream}/")).unwrap();
        let slices = objects.iter().filter(|object| object.ends_with(".ts"));
        slices.map(|slice| self.bucket_folder("recordings").join(slice)).collect()
    }

    /// Waits until each of the streams has that many slices.
    fn wait_for_slices(&self, streams: &[&str], count: usize) {
        let begun = Instant::now();
        while streams.iter().any(|stream| self.slices(stream).len() < count) {
            assert!(begun.elapsed() < PATIENCE, "{count} slices of {streams:?} do not come");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The record files of a stream, once every slice of it is in one and they hold that many pictures.
    fn wait_for_files(&self, stream: &'static str, clip: &Arc<Clip>, least: usize) -> Recorded {
        let begun = Instant::now();
        loop {
            let prefix = format!("record/{APP}/{stream}/");
            let mut files = bucket::recordings(self, "recordings", &prefix).unwrap();
            files.sort_by_key(|file| file.playlist.segments[0].program_date_time);
            let filed: usize = files.iter().map(|file| file.playlist.segments.len()).sum();
            let recorded = Recorded::of(stream, clip.clone(), files);
            let is_all = filed > 0 && filed == self.slices(stream).len();
            if is_all && pictures(&recorded, &self.folder).len() >= least {
                return recorded;
            }
            assert!(begun.elapsed() < PATIENCE, "{stream}: {filed} slices are in record files");
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Site for Cluster {
    /// The host that lives on.
    fn functions(&self) -> &str {
        &self.hosts[1].url
    }

    fn bucket(&self) -> &str {
        &self.bucket
    }

    fn bucket_folder(&self, bucket: &str) -> PathBuf {
        self.folder.join("buckets").join(bucket)
    }
}

/// The coded pictures of a recording, in the order in which they are recorded.
fn pictures(recorded: &Recorded, folder: &Path) -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = recorded.files.iter().flat_map(|file| file.transport_stream().unwrap()).collect();
    let whole = folder.join(recorded.name).with_extension("ts");
    std::fs::write(&whole, bytes).unwrap();
    owned_slices(&whole)
}

fn owned_slices(file: &Path) -> Vec<Vec<u8>> {
    nal::slices(&ffmpeg::h264(file).unwrap()).into_iter().map(<[u8]>::to_vec).collect()
}

/// Pushes a clip over a connection of its own, so many times as fast as it is long.
fn push(rtmp: &str, stream: &str, clip: &Clip, speed: f64) -> Result<()> {
    let mut publisher = Publisher::of_stream(rtmp, DOMAIN, APP, stream)?;
    publisher.send_paced(&clip.tags, speed)?;
    publisher.finish(stream)
}

#[test]
fn a_host_and_a_gateway_that_die_in_mid_push_lose_nothing() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(LONG);
    let mut cluster = Cluster::start(folder.path()).unwrap();
    api::add_rule(&cluster, DOMAIN, APP, SLICE_S, &DELAY_S.to_string()).unwrap();
    let all: Vec<&str> = [ON_THE_LIVING, ON_THE_DYING].concat();

    let mut acknowledged = Vec::new();
    thread::scope(|scope| {
        let begin = |gateway: usize, streams: [&'static str; 3]| {
            let rtmp = cluster.rtmp(gateway);
            streams.map(|stream| {
                let (rtmp, clip) = (rtmp.clone(), &clip);
                scope.spawn(move || push(&rtmp, stream, clip, 1.0))
            })
        };
        let (dying, living) = (begin(0, ON_THE_DYING), begin(1, ON_THE_LIVING));
        let are_under_way =
            |pushes: &[ScopedJoinHandle<'_, Result<()>>]| pushes.iter().all(|push| !push.is_finished());

        cluster.wait_for_slices(&all, 1);
        cluster.hosts[0].kill().unwrap();
        // The other host takes the chunks of both gateways, of sessions that the dead one began.
        let after = ON_THE_DYING.map(|stream| cluster.slices(stream).len() + 1);
        cluster.wait_for_slices(&all, after.into_iter().max().unwrap());
        acknowledged.extend(ON_THE_DYING.map(|stream| cluster.slices(stream)));

        assert!(
            are_under_way(&dying) && are_under_way(&living),
            "this machine is too slow to kill in mid-push"
        );
        let gateway = cluster.gateways[0].take().unwrap();
        cluster.gateways[0] = Some(gateway.kill_and_start_again().unwrap());
        for push in dying {
            assert!(push.join().unwrap().is_err(), "its gateway died");
        }
        // The encoders come back and push from the start.
        let again = ON_THE_DYING.map(|stream| {
            let (rtmp, clip) = (cluster.rtmp(0), &clip);
            scope.spawn(move || push(&rtmp, stream, clip, 4.0))
        });
        for push in again.into_iter().chain(living) {
            push.join().unwrap().unwrap();
        }
    });

    let pushed = owned_slices(&clip_file(LONG));
    for stream in ON_THE_LIVING {
        let recorded = cluster.wait_for_files(stream, &clip, pushed.len());
        assert_eq!(pictures(&recorded, folder.path()), pushed, "{stream}");
        is_whole(&recorded, &clip.tags, &Expected::EXACT);
    }
    let sounds: Vec<String> = frames(&clip_file(LONG), "a").into_iter().map(|frame| frame.hash).collect();
    for (stream, acknowledged) in ON_THE_DYING.into_iter().zip(acknowledged) {
        let recorded = cluster.wait_for_files(stream, &clip, pushed.len() + 1);
        let found = pictures(&recorded, folder.path());
        // What was pushed until the gateway died, then the whole second push; each once and in order.
        let first = found.len() - pushed.len();
        assert!(found[..first] == pushed[..first] && found[first..] == pushed, "{stream}: pictures");
        let heard = hashes(&recorded, "a");
        let first_sounds = heard.len() - sounds.len();
        assert!(
            heard[..first_sounds] == sounds[..first_sounds] && heard[first_sounds..] == sounds,
            "{stream}: sound"
        );
        // What was acknowledged by then is there, and what the gateway had in its spool besides.
        let slices: Vec<PathBuf> = recorded.files.iter().flat_map(bucket::Recording::slices).collect();
        assert!(
            acknowledged.iter().all(|slice| slices.contains(slice)),
            "{stream}: {acknowledged:?} of {slices:?}"
        );
        let of_acknowledged: usize = acknowledged.iter().map(|slice| owned_slices(slice).len()).sum();
        assert!(
            first >= of_acknowledged,
            "{stream}: {first} pictures, of which {of_acknowledged} were acknowledged"
        );
    }
}
