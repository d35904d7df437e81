//! `cargo xtask demo`: records a real RTMP push on this machine and shows the files.
#![expect(clippy::print_stdout, reason = "a command-line program speaks to its user")]

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::bucket::Recording;
use harness::server::{Server, push};
use harness::{api, bucket, sample};

const DOMAIN: &str = "live.example.com";

/// Seconds of media in the bundled sample.
const SAMPLE_S: f64 = 30.0;

/// Seconds of silence after which the record file closes; the shortest that a rule can say.
const DELAY_S: u64 = 15;

fn main() -> ExitCode {
    let exit = std::env::args().any(|argument| argument == "--exit");
    match demo(exit) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nThe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo(exit: bool) -> Result<()> {
    let folder = tempfile::tempdir()?;
    println!("1. Starting functions, RTMP gateway and bucket server on free ports");
    let mut server = Server::start(folder.path())?;
    println!("   functions {}  RTMP {}  bucket {}", server.functions, server.rtmp, server.bucket);

    println!("2. AddLiveAppRecordConfig: record {DOMAIN}/live/* as m3u8, slices of 5 s");
    api::add_rule(&server, DOMAIN, "live", "5", &DELAY_S.to_string())?;

    let url = server.rtmp_url(DOMAIN, "live", "demo");
    println!("3. Pushing {SAMPLE_S} s of H.264 and AAC in real time to {url}");
    push(&sample(), &url, false)?;

    println!("4. The push is over; its record file closes after a break of {DELAY_S} s");
    let patience = Duration::from_secs(DELAY_S + 15);
    let recordings = bucket::wait_for_recordings(&server, "recordings", "record/live/demo/", 1, patience)?;
    let [recording] = &recordings[..] else {
        anyhow::bail!("one record file is expected, not {}", recordings.len());
    };

    println!("5. Checking");
    check(recording)?;
    show(&server, recording)?;
    if exit {
        return server.stop();
    }
    println!("\nPush your own stream, for example");
    println!("  ffmpeg -re -i FILE -c copy -f flv \"{}\"", server.rtmp_url(DOMAIN, "live", "mine"));
    println!("  OBS: server rtmp://{}/live, stream key mine?vhost={DOMAIN}", server.rtmp);
    println!("It lies in {} as it comes in.", server.bucket_folder("recordings").display());
    println!("Ctrl-C ends the demo and removes its files.");
    let (interrupted, wait) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = interrupted.send(());
    })?;
    wait.recv()?;
    server.stop()
}

/// Whether the recording is whole, and is a transport stream.
fn check(recording: &Recording) -> Result<()> {
    ensure!(recording.playlist.end_list, "the playlist has no end");
    let duration = recording.duration_s();
    ensure!((duration - SAMPLE_S).abs() < 0.1, "{duration} s are recorded of {SAMPLE_S} s");
    let bytes = recording.transport_stream()?;
    ensure!(bytes.len().is_multiple_of(188), "{} bytes are no whole transport stream packets", bytes.len());
    ensure!(bytes.chunks(188).all(|packet| packet[0] == 0x47), "a packet does not begin with its sync byte");
    println!(
        "   {duration:.3} s in {} slices, {} packets",
        recording.playlist.segments.len(),
        bytes.len() / 188
    );
    Ok(())
}

fn show(server: &Server, recording: &Recording) -> Result<()> {
    let root = server.bucket_folder("recordings");
    let url = |object: &str| -> Result<String> {
        Ok(s3::Bucket::new(&server.bucket, "recordings")?.object_url(object)?)
    };
    println!("\n{:>9}  {:>8}  object", "bytes", "seconds");
    for (file, segment) in recording.slices().iter().zip(&recording.playlist.segments) {
        let object = file.strip_prefix(&root)?.to_str().context("an object's name is not UTF-8")?;
        println!("{:>9}  {:>8.3}  {}", file.metadata()?.len(), segment.duration, url(object)?);
    }
    let size = recording.file.metadata()?.len();
    println!("{size:>9}  {:>8.3}  {}", recording.duration_s(), url(&recording.object)?);
    println!("\nPlay it: ffplay {}", url(&recording.object)?);
    Ok(())
}
