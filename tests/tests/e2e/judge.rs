//! A recording beside what was pushed: decoded frames and their times, and the rules of RFC 8216.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use harness::bucket::Recording;
use harness::ffmpeg;
use tempfile::NamedTempFile;

use crate::flv_tags::Tag;
use crate::stage::Recorded;
use crate::transport_stream;

/// A frame: when it is shown, in milliseconds, and a hash: of a decoded picture, or of a sound as it was coded.
///
/// What a sound is decoded to depends on those before it, so that a decoder which begins in the middle gives another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) time_ms: f64,
    /// How long it is shown.
    pub(crate) duration_ms: f64,
    pub(crate) hash: String,
}

/// What is known of a file as it is: its path, when it was written, its bytes, and what was asked.
type Known<T> = Mutex<BTreeMap<(PathBuf, SystemTime, u64, String), Arc<OnceLock<T>>>>;

/// What was found of a file before, or is found now. To start ffmpeg takes longer than what it is asked here.
fn once<T: Clone>(known: &Known<T>, file: &Path, asked: &str, find: impl FnOnce() -> T) -> T {
    let metadata = file.metadata().unwrap();
    let key = (file.to_owned(), metadata.modified().unwrap(), metadata.len(), asked.to_owned());
    let found = known.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
    found.get_or_init(find).clone()
}

/// The frames of a file's track, `v` or `a`; none where it has no such track.
pub(crate) fn frames(file: &Path, track: &str) -> Vec<Frame> {
    static KNOWN: Known<Vec<Frame>> = Mutex::new(BTreeMap::new());
    once(&KNOWN, file, track, || find_frames(file, track))
}

fn find_frames(file: &Path, track: &str) -> Vec<Frame> {
    let Some(codec) = codec(file, track) else { return Vec::new() };
    let (map, input) = (format!("0:{track}:0"), file.to_str().unwrap());
    let mut arguments = vec!["-copyts", "-xerror"];
    // A track may begin late. ffmpeg need not look for the end of one that ends early.
    arguments.extend([
        "-analyzeduration",
        "60M",
        "-probesize",
        "60M",
        "-skip_estimate_duration_from_pts",
        "1",
    ]);
    arguments.extend(["-i", input]);
    arguments.extend(["-map", &map]);
    match codec.as_str() {
        "aac" => arguments.extend(["-c", "copy", "-bsf:a", "aac_adtstoasc"]),
        "mp3" => arguments.extend(["-c", "copy"]),
        _ => arguments.extend(["-fps_mode", "passthrough", "-enc_time_base", "1:90000"]),
    }
    arguments.extend(["-f", "framemd5", "-"]);
    let listed = String::from_utf8(ffmpeg::quiet(&arguments).unwrap()).unwrap();
    let (comments, lines): (Vec<&str>, Vec<&str>) = listed.lines().partition(|line| line.starts_with('#'));
    let base = comments.iter().find_map(|line| line.strip_prefix("#tb 0: ")?.split_once('/')).unwrap();
    let ms = |ticks: &str| {
        let [ticks, numerator, denominator] =
            [ticks, base.0, base.1].map(|text| text.parse::<f64>().unwrap());
        ticks * numerator * 1_000.0 / denominator
    };
    let frame = |line: &&str| {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        Frame { time_ms: ms(fields[2]), duration_ms: ms(fields[3]), hash: fields[5].to_owned() }
    };
    lines.iter().map(frame).collect()
}

/// The codec of a file's first track of a kind, `v` or `a`.
fn codec(file: &Path, track: &str) -> Option<String> {
    static KNOWN: Known<String> = Mutex::new(BTreeMap::new());
    let listed = once(&KNOWN, file, "codecs", || {
        let mut probe = std::process::Command::new("ffprobe");
        probe.args(["-v", "error", "-show_entries", "stream=codec_name,codec_type", "-of", "csv"]);
        String::from_utf8(probe.arg(file).output().unwrap().stdout).unwrap()
    });
    let kind = if track == "v" { "video" } else { "audio" };
    listed.lines().find_map(|line| {
        let (name, of) = line.strip_prefix("stream,")?.split_once(',')?;
        (of == kind).then(|| name.to_owned())
    })
}

/// Where the frames of a track of `recorded` lie beside those that were pushed, run by run.
///
/// A run is what lies between two discontinuities: one timeline.
#[derive(Debug)]
pub(crate) struct Track {
    /// How much later than pushed the first frame of each run is shown, in milliseconds, where it has one.
    pub(crate) shifts_ms: Vec<Option<f64>>,
    /// The largest difference between two such shifts within a run.
    pub(crate) spread_ms: f64,
}

/// Checks that a track's frames are those of `expected`, all of them, in order, once.
pub(crate) fn same_frames(recorded: &Recorded, expected: &[Frame], track: &str) -> Track {
    let runs: Vec<Vec<Frame>> = runs(recorded).iter().map(|run| frames(run, track)).collect();
    let counts: Vec<usize> = runs.iter().map(Vec::len).collect();
    let name = recorded.name;
    assert_eq!(
        counts.iter().sum::<usize>(),
        expected.len(),
        "{name}: frames of {track}; recorded: {counts:?}"
    );
    let mut rest = expected;
    let (mut shifts_ms, mut spread_ms) = (Vec::new(), 0.0_f64);
    for run in &runs {
        let (here, after) = rest.split_at(run.len());
        rest = after;
        for (at, (found, pushed)) in run.iter().zip(here).enumerate() {
            assert!(found.hash == pushed.hash, "{name}: frame {at} of a run of {track}");
        }
        let shifts = run.iter().zip(here).map(|(found, pushed)| found.time_ms - pushed.time_ms);
        let least = shifts.clone().fold(f64::INFINITY, f64::min);
        spread_ms = shifts.clone().fold(spread_ms, |spread_ms, shift| spread_ms.max(shift - least));
        shifts_ms.push(shifts.clone().next());
    }
    Track { shifts_ms, spread_ms }
}

/// The hashes of a track's frames, in the order in which they are recorded.
pub(crate) fn hashes(recorded: &Recorded, track: &str) -> Vec<String> {
    runs(recorded).iter().flat_map(|run| frames(run, track)).map(|frame| frame.hash).collect()
}

/// When the frames of a track of a recording are shown, in milliseconds; `None` where it has more than one timeline.
pub(crate) fn times_ms(recorded: &Recorded, track: &str) -> Option<Vec<f64>> {
    match &runs(recorded)[..] {
        [run] => Some(frames(run, track).into_iter().map(|frame| frame.time_ms).collect()),
        _ => None,
    }
}

/// The runs of a case's record files, each put together in a file of its own.
fn runs(recorded: &Recorded) -> Vec<PathBuf> {
    let mut runs: Vec<Vec<u8>> = Vec::new();
    for file in &recorded.files {
        for (at, (slice, segment)) in file.slices().iter().zip(&file.playlist.segments).enumerate() {
            let bytes = fs::read(slice).unwrap();
            if at == 0 || segment.discontinuity {
                runs.push(bytes);
            } else {
                runs.last_mut().unwrap().extend(bytes);
            }
        }
    }
    let name = |at| format!("{}-{at}.ts", recorded.name);
    runs.iter().enumerate().map(|(at, run)| put("runs", &name(at), run)).collect()
}

/// A file of these bytes, for ffmpeg to read.
///
/// Another test may read the file of that name right now, so it is replaced whole, and not at all by the same bytes.
fn put(folder: &str, name: &str, bytes: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    if fs::read(&file).ok().as_deref() != Some(bytes) {
        let mut whole = NamedTempFile::new_in(&folder).unwrap();
        whole.write_all(bytes).unwrap();
        whole.persist(&file).unwrap();
    }
    file
}

/// Checks that each record file plays by itself: RFC 8216, and ffmpeg without a warning.
pub(crate) fn plays(recorded: &Recorded) {
    assert!(!recorded.files.is_empty(), "{}: nothing is recorded", recorded.name);
    for file in &recorded.files {
        follows_the_rules(file);
        let input = file.file.to_str().unwrap();
        let decode = ["-xerror", "-i", input, "-fps_mode", "passthrough", "-enc_time_base", "1:1000"];
        ffmpeg::quiet(&[&decode[..], &["-f", "null", "-"]].concat()).unwrap();
    }
}

/// Checks a playlist against RFC 8216, and its durations, dates and program maps against its slices.
pub(crate) fn follows_the_rules(recording: &Recording) {
    let Recording { object, playlist, .. } = recording;
    assert!(playlist.end_list, "{object}: a finished recording says so");
    let slices: Vec<Vec<u8>> = recording.slices().iter().map(|slice| fs::read(slice).unwrap()).collect();
    let mut clock_ms = None;
    for (at, segment) in playlist.segments.iter().enumerate() {
        let duration_s = f64::from(segment.duration);
        // RFC 8216 §4.3.3.1: rounded to the nearest integer, at most the target duration.
        assert!(
            duration_s.round() as u64 <= playlist.target_duration,
            "{object}: slice {at}: {duration_s} s"
        );
        assert!(duration_s >= 0.1, "{object}: slice {at} lasts {duration_s} s");

        let date_ms = segment.program_date_time.map(|date| date.timestamp_millis() as f64);
        match (date_ms, clock_ms) {
            (None, None) => panic!("{object}: the first slice has no date"),
            (Some(date_ms), Some(clock_ms)) => {
                let off_ms: f64 = date_ms - clock_ms;
                let is_break = segment.discontinuity && off_ms > 0.0;
                // A timeline begins where the one before ends, of whose tracks one may end after the others.
                let allowed_ms = if segment.discontinuity { 100.0 } else { 2.0 };
                assert!(
                    is_break || off_ms.abs() <= allowed_ms,
                    "{object}: the date of slice {at} is {off_ms} ms off"
                );
            }
            _ => {}
        }
        clock_ms = date_ms.or(clock_ms).map(|begin_ms| begin_ms + duration_s * 1_000.0);

        let Some(next) = playlist.segments.get(at + 1) else { continue };
        if next.discontinuity {
            continue;
        }
        // RFC 8216 §4.3.4.3: a change of tracks is a discontinuity.
        let [map, next_map] = [at, at + 1].map(|at| transport_stream::program_map(&slices[at]));
        assert_eq!(map, next_map, "{object}: the tracks change after slice {at}");
        let [begin, next_begin] = [at, at + 1].map(|at| transport_stream::begin_90khz(&slices[at]));
        let apart_s = (next_begin - begin) as f64 / 90_000.0;
        assert!(
            (apart_s - duration_s).abs() <= 0.1,
            "{object}: slice {at} is said to last {duration_s} s, and the next one begins after {apart_s} s"
        );
    }
}

/// What a test expects of a case.
pub(crate) struct Expected {
    /// Slices of each record file, where the test says them.
    pub(crate) slices: Option<&'static [usize]>,
    /// How far a frame may be from its place, in milliseconds.
    pub(crate) tolerance_ms: f64,
}

impl Expected {
    /// Times are those pushed, but for rounding between clocks of 1 kHz and 90 kHz.
    pub(crate) const EXACT: Self = Self { slices: None, tolerance_ms: 2.0 };
}

/// Checks that a case is recorded whole: `reference` holds the tags as a clean push would have sent them.
pub(crate) fn is_whole(recorded: &Recorded, reference: &[Tag], expected: &Expected) {
    let name = recorded.name;
    plays(recorded);
    let lengths: Vec<Vec<f32>> = recorded.files.iter().map(lengths).collect();
    if let Some(expected) = expected.slices {
        let slices: Vec<usize> = lengths.iter().map(Vec::len).collect();
        assert_eq!(slices, expected, "{name}: slices of each record file, of {lengths:?} s");
    }
    let file = write(name, reference);
    let [pictures, sounds] = ["v", "a"].map(|track| frames(&file, track));
    let (least_s, most_s) = duration_s(reference, &[&pictures[..], &sounds].concat());
    let seconds: f64 = recorded.files.iter().map(Recording::duration_s).sum();
    assert!(
        (least_s - 0.05..=most_s + 0.05).contains(&seconds),
        "{name}: {seconds} s, not {least_s} to {most_s}, in slices of {lengths:?}"
    );

    let [video, audio] =
        [(&pictures, "v"), (&sounds, "a")].map(|(frames, track)| same_frames(recorded, frames, track));
    for track in [&video, &audio] {
        assert!(track.spread_ms <= expected.tolerance_ms, "{name}: {track:?}");
    }
    for shifts in video.shifts_ms.iter().zip(&audio.shifts_ms) {
        if let (Some(video), Some(audio)) = shifts {
            let apart_ms = (video - audio).abs();
            assert!(apart_ms <= expected.tolerance_ms, "{name}: the tracks are {apart_ms} ms out of step");
        }
    }
}

/// Checks that a case of the clip of 14 s is recorded as a clean push of it: three slices, no discontinuity, every
/// frame at its time.
pub(crate) fn is_like_a_clean_push(name: &str) {
    let recorded = crate::stage::recorded(name);
    is_whole(recorded, &recorded.clip.tags, &Expected { slices: Some(&[3]), ..Expected::EXACT });
    let segments = &recorded.files[0].playlist.segments;
    assert!(segments.iter().all(|segment| !segment.discontinuity), "{name}: a discontinuity");
}

/// How long what was pushed lasts, at least and at most: it may be said to begin with its first stamp, or with what
/// is shown first.
fn duration_s(pushed: &[Tag], shown: &[Frame]) -> (f64, f64) {
    let end_ms = shown.iter().map(|frame| frame.time_ms + frame.duration_ms).fold(0.0, f64::max);
    let shown_ms = shown.iter().map(|frame| frame.time_ms).fold(f64::INFINITY, f64::min);
    let first = pushed.iter().find(|tag| tag.is_picture() || tag.is_sound()).unwrap();
    let stamped_ms = f64::from(first.timestamp_ms);
    ((end_ms - shown_ms.max(stamped_ms)) / 1_000.0, (end_ms - shown_ms.min(stamped_ms)) / 1_000.0)
}

fn lengths(file: &Recording) -> Vec<f32> {
    file.playlist.segments.iter().map(|segment| segment.duration).collect()
}

/// An FLV file of the tags, for ffmpeg to decode.
fn write(name: &str, tags: &[Tag]) -> PathBuf {
    let mut bytes = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
    for tag in tags {
        let size = (tag.body.len() as u32).to_be_bytes();
        let [t0, t1, t2, t3] = tag.timestamp_ms.to_be_bytes();
        bytes.extend_from_slice(&[tag.kind.type_id(), size[1], size[2], size[3], t1, t2, t3, t0, 0, 0, 0]);
        bytes.extend_from_slice(&tag.body);
        bytes.extend_from_slice(&(tag.body.len() as u32 + 11).to_be_bytes());
    }
    put("references", &format!("{name}.flv"), &bytes)
}
