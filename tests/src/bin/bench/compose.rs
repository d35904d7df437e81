//! The close of an MP4 and of an FLV file, beside ffmpeg that copies the same media with the index first: by the functions,
//! and of that what the core does natively without any store, the index of an MP4 file made from tables.

mod close;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use media::{AudioCodec, TrackKind, VideoCodec};
use mp4::{Follows, IndexBuilder};
use remux::remux_with_samples;
use sample_table::{AudioEntry, Head, Sample, SampleEntry, SampleTable, TableWriter, VideoEntry};

use crate::{chunks, chunks_of, fastest};
use close::Stream;

/// Chunks of the file of six hours are as long as those of the push.
const CHUNK_S: u64 = 5;

/// A file that is indexed.
struct Measured {
    name: &'static str,
    time: Duration,
    table_bytes: u64,
    index_bytes: u64,
    media_bytes: u64,
    /// Resident memory at its most, less what the tables and the program take.
    memory_bytes: u64,
}

/// Prints the tables. The samples are pushes of ten minutes, by 4 Mb/s and by 500 kb/s. `is_whole`: 11 GB of six hours by
/// 4 Mb/s are recorded as well, which takes four times as much room below `target`.
pub(crate) fn run(sample: &Path, slow: &Path, is_whole: bool) -> Result<()> {
    let pushed = tables_of(sample)?;
    let ffmpeg = fastest(|| ffmpeg_first_index(sample, "mp4"))?;
    println!(
        "{:<22} {:>9} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "", "ms", "tables MB", "index MB", "memory MB", "media MB", "of ffmpeg"
    );
    // Six hours of media are not copied: the reference is that of ten minutes, 36 times.
    for (name, tables, reference) in [
        ("10 minutes, 4 Mb/s", pushed, ffmpeg),
        ("6 hours, 4 Mb/s", six_hours(25, 19_000), ffmpeg * 36),
        ("6 hours, 60 pictures/s", six_hours(60, 8_000), ffmpeg * 36),
    ] {
        let measured = measure(name, &tables)?;
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        println!(
            "{:<22} {:>9.1} {:>10.2} {:>10.2} {:>10.1} {:>10.0} {:>10.4}",
            measured.name,
            measured.time.as_secs_f64() * 1e3,
            megabytes(measured.table_bytes),
            megabytes(measured.index_bytes),
            megabytes(measured.memory_bytes),
            megabytes(measured.media_bytes),
            measured.time.as_secs_f64() / reference.as_secs_f64(),
        );
    }
    println!("{:<22} {:>9.1} {:>54}", "ffmpeg, 10 minutes", ffmpeg.as_secs_f64() * 1e3, "1.0000");
    let (fast, slow_chunks) = (chunks_of(sample)?, chunks_of(slow)?);
    // FFmpeg's index of keyframes stands first in FLV as well.
    let of = |format: &'static str, is_slow: bool| -> Result<Duration> {
        fastest(|| ffmpeg_first_index(if is_slow { slow } else { sample }, format))
    };
    let (slow_mp4, flv, slow_flv) = (of("mp4", true)? * 36, of("flv", false)?, of("flv", true)? * 36);
    let stream = |name, format, chunks, times, reference| Stream { name, format, chunks, times, reference };
    let mut streams = vec![
        stream("10 minutes, 4 Mb/s", "mp4", &fast[..], 1, ffmpeg),
        stream("FLV, 10 min, 4 Mb/s", "flv", &fast[..], 1, flv),
        stream("6 hours, 500 kb/s", "mp4", &slow_chunks[..], 36, slow_mp4),
        stream("FLV, 6 h, 500 kb/s", "flv", &slow_chunks[..], 36, slow_flv),
    ];
    if is_whole {
        streams.push(stream("6 hours, 4 Mb/s", "mp4", &fast[..], 36, ffmpeg * 36));
        streams.push(stream("FLV, 6 h, 4 Mb/s", "flv", &fast[..], 36, flv * 36));
    }
    close::run(&streams)
}

fn measure(name: &'static str, tables: &[Vec<u8>]) -> Result<Measured> {
    let mut sizes = (0, 0);
    let make = |sizes: &mut (u64, u64)| -> Result<()> {
        let mut builder = IndexBuilder::new(mp4::Policy::default());
        for table in tables {
            builder.add(&SampleTable::parse(table)?, Follows::Directly);
        }
        let index = builder.finish()?;
        let (offset, size) = (index.media_offset(), index.file_size());
        let written: u64 = index.pieces().map(|piece| piece.len() as u64).sum();
        ensure!(written == offset, "{written} bytes of an index of {offset}");
        *sizes = (offset, size - offset);
        Ok(())
    };
    let before = resident("VmRSS:")?;
    reset_peak()?;
    make(&mut sizes)?;
    let memory_bytes = resident("VmHWM:")?.saturating_sub(before);
    let time = fastest(|| make(&mut sizes))?;
    let table_bytes = tables.iter().map(|table| table.len() as u64).sum();
    let (index_bytes, media_bytes) = sizes;
    Ok(Measured { name, time, table_bytes, index_bytes, media_bytes, memory_bytes })
}

/// The tables of a push.
fn tables_of(path: &Path) -> Result<Vec<Vec<u8>>> {
    let (mut state, mut tables) = (Vec::new(), Vec::new());
    for chunk in chunks::cut(&fs::read(path)?, CHUNK_S as u32 * 1_000) {
        let (slice, _, samples) = remux_with_samples(&chunk, &state, &remux::Policy::default())?;
        tables.push(samples.table().to_vec());
        state = slice.state;
    }
    Ok(tables)
}

/// Tables of six hours with sound at 48 kHz, stamped in whole milliseconds, and pictures that are reordered.
fn six_hours(pictures_a_second: u64, mean_size: u32) -> Vec<Vec<u8>> {
    let video = VideoEntry { codec: VideoCodec::H264, width: 1_280, height: 720, record: &[7; 45] };
    let audio = AudioEntry {
        codec: AudioCodec::Aac,
        sample_rate_hz: 48_000,
        channels: 2,
        frame_samples: 1_024,
        in_adts: false,
        record: &[0x11, 0x90],
    };
    let head =
        Head { entries: vec![SampleEntry::Video(video), SampleEntry::Audio(audio)], ..Head::default() };
    let chunk = |number: u64| {
        let mut writer = TableWriter::new();
        for second in number * CHUNK_S..(number + 1) * CHUNK_S {
            writer.begin_run(TrackKind::Video, 0);
            for n in second * pictures_a_second..(second + 1) * pictures_a_second {
                writer.sample(Sample {
                    dts_90khz: (n * 1_000 / pictures_a_second * 90).cast_signed(),
                    composition_offset_90khz: [3_600, 10_800, 0, 0][n as usize % 4],
                    size: mean_size / 2 + (n as u32).wrapping_mul(2_654_435_761) % mean_size,
                    is_sync: n % (2 * pictures_a_second) == 0,
                });
            }
            writer.begin_run(TrackKind::Audio, 1);
            for n in (second * 48_000).div_ceil(1_024)..((second + 1) * 48_000).div_ceil(1_024) {
                let dts_90khz = (n * 1_024 / 48 * 90).cast_signed();
                writer.sample(Sample { dts_90khz, composition_offset_90khz: 0, size: 340, is_sync: true });
            }
        }
        writer.finish(&head)
    };
    (0..6 * 3_600 / CHUNK_S).map(chunk).collect()
}

/// Copies the push into an MP4 or FLV file whose index stands first: FFmpeg writes the media, and then moves all of it.
fn ffmpeg_first_index(path: &Path, format: &str) -> Result<()> {
    let output = path.with_extension(format!("indexed.{format}"));
    let flags = match format {
        "flv" => ["-flvflags", "+add_keyframe_index"],
        _ => ["-movflags", "+faststart"],
    };
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-i"])
        .arg(path)
        .args(["-c", "copy"])
        .args(flags)
        .arg(&output)
        .status()
        .context("cannot start ffmpeg, the reference")?;
    ensure!(status.success(), "ffmpeg ended with {status}");
    fs::remove_file(output)?;
    Ok(())
}

/// A line of what Linux tells of the process's memory. Unit: bytes.
fn resident(line: &str) -> Result<u64> {
    resident_of("self", line)
}

/// The same of any process.
fn resident_of(process: &str, line: &str) -> Result<u64> {
    let status = Path::new("/proc").join(process).join("status");
    let status = fs::read_to_string(status).context("memory is measured on Linux alone")?;
    let found = status.lines().find_map(|found| found.strip_prefix(line));
    let kilobytes = found.and_then(|found| found.split_whitespace().next()).context("no such line")?;
    Ok(kilobytes.parse::<u64>()? * 1_024)
}

/// Lets the highest memory so far be that of now.
fn reset_peak() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("memory is measured on Linux alone")
}
