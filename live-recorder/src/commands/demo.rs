//! `live-recorder demo`: records a real RTMP push on this machine and shows the files.

mod client;
mod media_file;
mod recording;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio_util::sync::CancellationToken;

use self::client::Client;
use self::media_file::MediaFile;
use self::recording::Recording;
use crate::admin::AdminArgs;
use crate::ingest::IngestArgs;
use crate::log::Log;
use crate::stack::{DEFAULT_BUCKET, Stack, StackConfig};
use crate::store::StoreArgs;

/// The streaming domain that is pushed to.
const DOMAIN: &str = "live.example.com";

/// Seconds of media in the bundled sample.
const SAMPLE_S: f64 = 30.0;

/// Seconds of silence after which the record file closes; the shortest that a rule can say.
const DELAY_S: u64 = 15;

/// How long after its delay the record file may take to appear.
const PATIENCE: Duration = Duration::from_secs(DELAY_S + 15);

/// A free port of this machine.
const FREE_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

#[derive(clap::Args)]
pub(crate) struct DemoArgs {
    /// The application to run.
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// The bundled sample: an FLV file of 30 s.
    #[arg(long, default_value = "tests/assets/sample.flv")]
    sample: PathBuf,
    /// The folder for compiled components; by default they are compiled for each demo anew.
    #[arg(long, value_name = "DIR")]
    component_cache: Option<PathBuf>,
    /// End after the check, with 0 if all is well.
    #[arg(long)]
    exit: bool,
}

/// Records the sample, checks the recording, and stays up until `stop` is cancelled.
pub(crate) async fn run(args: DemoArgs, log: &Log, stop: CancellationToken) -> Result<()> {
    let folder = tempfile::tempdir().context("no folder can be made for the demo")?;
    println!("1. Starting functions, RTMP gateway and bucket server on free ports");
    let config = StackConfig {
        manifest: args.manifest,
        listen: FREE_PORT,
        rtmp: vec![FREE_PORT],
        bucket: FREE_PORT,
        data: folder.path().to_owned(),
        component_cache: args.component_cache,
        create_bucket: Vec::new(),
        keep_free: None,
        store: StoreArgs::default(),
        ingest: IngestArgs::default(),
        admin: AdminArgs::default(),
    };
    let stack = Stack::start(config, log).await?;
    let client = Client::new(&stack);
    let url = |stream: &str| format!("rtmp://{}/live/{stream}?vhost={DOMAIN}", stack.rtmp);
    let buckets = folder.path().join("buckets").join(DEFAULT_BUCKET);
    println!("   functions http://{}  RTMP {}  bucket http://{}", stack.functions, stack.rtmp, stack.bucket);

    let recorded = record(&client, args.sample, url("demo"), &buckets);
    let outcome = stop.run_until_cancelled(recorded).await.context("interrupted").flatten();
    if args.exit || outcome.is_err() {
        stop.cancel();
    } else {
        println!("\nPush your own stream, for example");
        println!("  ffmpeg -re -i FILE -c copy -f flv \"{}\"", url("mine"));
        println!("  OBS: server rtmp://{}/live, stream key mine?vhost={DOMAIN}", stack.rtmp);
        println!("Its slices lie in {} as they come in.", buckets.display());
        println!("Ctrl-C ends the demo and removes its files.");
    }
    stack.run_until(stop).await?;
    outcome
}

/// Pushes the sample to `url`, and checks and shows what is recorded.
async fn record(client: &Client, sample: PathBuf, url: String, bucket: &std::path::Path) -> Result<()> {
    println!("2. AddLiveAppRecordConfig: record {DOMAIN}/live/* as m3u8 with slices of 5 s, mp4 and flv");
    client
        .call(
            "AddLiveAppRecordConfig",
            &[
                ("DomainName", DOMAIN),
                ("AppName", "live"),
                ("OssBucket", DEFAULT_BUCKET),
                ("OssEndpoint", client.bucket()),
                ("DelayTime", &DELAY_S.to_string()),
                ("RecordFormat.1.Format", "m3u8"),
                ("RecordFormat.1.SliceDuration", "5"),
                ("RecordFormat.2.Format", "mp4"),
                ("RecordFormat.3.Format", "flv"),
            ],
        )
        .await?;

    println!("3. Pushing {SAMPLE_S} s of H.264 and AAC in real time to {url}");
    gateway::push::push(gateway::push::Options { file: sample, url, fast: false }).await?;

    println!("4. The push is over; its record files close after a break of {DELAY_S} s");
    let extensions = ["m3u8", "mp4", "flv"];
    let [playlist, mp4, flv] =
        recording::wait_for_files(bucket, "record/live/demo", extensions, PATIENCE).await?;

    println!("5. Checking");
    let recording = Recording::fetch(client, &playlist).await?;
    check(&recording)?;
    let mp4 = MediaFile::fetch_mp4(client, &mp4).await?;
    let flv = MediaFile::fetch_flv(client, &flv).await?;
    mp4.check(SAMPLE_S)?;
    flv.check(SAMPLE_S)?;
    recording.show()?;
    mp4.show();
    flv.show();
    println!("\nPlay one: ffplay {}", recording.url);
    Ok(())
}

/// Whether the recording is whole, and is a transport stream.
fn check(recording: &Recording) -> Result<()> {
    ensure!(recording.ended, "the playlist has no end");
    let duration = recording.duration_s();
    ensure!((duration - SAMPLE_S).abs() < 0.1, "{duration} s are recorded of {SAMPLE_S} s");
    let packets = recording.transport_stream_packets()?;
    println!("   {duration:.3} s in {} slices, {packets} packets", recording.slices.len());
    Ok(())
}
