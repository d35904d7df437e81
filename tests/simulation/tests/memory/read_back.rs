//! What is wrong with a record file is found: slices, MP4 and FLV files are changed one way at a time.

mod packets;
mod sound;
mod steps;

use protocol::StreamPath;
use shared::testing::Object;
use simulation::history::History;
use simulation::judge::record_files;
use simulation::media::Shape;
use simulation::workload::in_every_format;

/// What the push that is recorded has to have.
const FEATURES: [&str; 3] =
    ["pictures of AVC", "sound, and pictures in another order", "parameter sets that change"];

/// How a file of some format is changed.
type Change = (&'static str, &'static str, fn(&mut Vec<u8>));

const CHANGES: [Change; 20] = [
    ("a presentation time is later", "_1.ts", |slice| {
        let first = times(slice)[0];
        delay(slice, first, 180);
    }),
    ("all times of a slice are later", "_1.ts", |slice| {
        times(slice).into_iter().for_each(|at| delay(slice, at, 180))
    }),
    ("a PES packet says no time", "_1.ts", |slice| {
        let header = find(slice, &[0, 0, 1, 0xc0]);
        slice[header + 7] &= 0x3f;
    }),
    ("a packet is lost", "_1.ts", |slice| {
        let sound = find(slice, &[0, 0, 1, 0xc0]) / 188 * 188;
        slice.drain(sound..sound + 188);
    }),
    ("a slice ends early", "_1.ts", |slice| slice.truncate(slice.len() - 188)),
    ("sound is on the pictures' PID", "_1.ts", |slice| {
        let sound = find(slice, &[0, 0, 1, 0xc0]) / 188 * 188;
        let picture = find(slice, &[0, 0, 1, 0xe0]) / 188 * 188;
        slice[sound + 2] = slice[picture + 2];
    }),
    ("the PMT tells another codec", "_1.ts", |slice| {
        let stream_type = find(slice, &[0x1b, 0xe1]);
        slice[stream_type] = 0x24;
    }),
    ("no picture is one to begin with", "_1.ts", |slice| {
        let picture = find(slice, &[0, 0, 1, 0xe0]) / 188 * 188;
        slice[picture + 5] &= !0x40;
    }),
    ("a parameter set is the later one", "_1.ts", |slice| replace(slice, &OLD_SET, &NEW_SET)),
    ("a slice header is another one", "_1.ts", |slice| replace(slice, &[0, 0, 1, 0x65], &[0, 0, 1, 0x61])),
    ("a playlist says another duration", ".m3u8", |list| replace(list, b"#EXTINF:5.000", b"#EXTINF:5.010")),
    ("a playlist hides a discontinuity", ".m3u8", |list| {
        replace(list, b"#EXT-X-DISCONTINUITY\n", b"#EXT-X-NOTHING-OF-IT\n");
    }),
    ("a picture is no keyframe", ".mp4", |file| add(file, b"stss", 15, 1)),
    ("a composition offset is longer", ".mp4", |file| add(file, b"ctts", 19, 180)),
    ("a sample lasts longer", ".mp4", |file| add(file, b"stts", 15, 90)),
    ("an edit begins later", ".mp4", |file| add(file, b"elst", 15, 180)),
    ("a byte of sound is another one", ".mp4", |file| replace(file, &[0x21, 0xb8], &[0x20, 0xb8])),
    ("a keyframe is marked as another picture", ".flv", |file| replace(file, &[0x17, 1], &[0x27, 1])),
    ("a composition time is shorter", ".flv", |file| replace(file, &[1, 0, 0, 100], &[1, 0, 0, 90])),
    ("the later parameter set stands first", ".flv", |file| replace(file, &OLD_SET, &NEW_SET)),
];

/// The picture parameter sets of the push.
const OLD_SET: [u8; 5] = [0x68, 0xce, 0x0f, 0x2c, 0x80];
const NEW_SET: [u8; 5] = [0x68, 0xce, 0x0f, 0x3c, 0x80];

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|window| window == what).unwrap()
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = find(bytes, from);
    bytes[at..at + to.len()].copy_from_slice(to);
}

/// Adds to the number whose last byte stands so far behind the begin of a box's name.
fn add(file: &mut [u8], name: &[u8], at: usize, more: u8) {
    let at = find(file, name) + at;
    file[at] = file[at].wrapping_add(more);
}

/// Where the times of a slice lie.
fn times(slice: &[u8]) -> Vec<usize> {
    let is_header = |window: &[u8]| matches!(window, [0, 0, 1, 0xc0 | 0xe0, ..]);
    let headers = slice.windows(14).enumerate().filter(|(_, window)| is_header(window));
    let fields = headers.flat_map(|(at, window)| {
        let has_dts = window[7] & 0x40 != 0;
        [Some(at + 9), has_dts.then_some(at + 14)].into_iter().flatten()
    });
    fields.collect()
}

/// Moves the time of a field ahead.
fn delay(slice: &mut [u8], at: usize, ticks: u64) {
    let bits = slice[at..at + 5].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    let time = (bits >> 3 & 7 << 30 | bits >> 2 & 0x7fff << 15 | bits >> 1 & 0x7fff) + ticks;
    let markers = bits & (0xf << 36 | 1 << 32 | 1 << 16 | 1);
    let field = markers | (time & 7 << 30) << 3 | (time & 0x7fff << 15) << 2 | (time & 0x7fff) << 1;
    slice[at..at + 5].copy_from_slice(&field.to_be_bytes()[3..]);
}

/// A push of the first 31 s of something, recorded in all formats.
fn recorded(is_it: impl Fn(Shape) -> bool) -> History {
    let stream = StreamPath::new("live.example.com", "live", "cam").unwrap();
    let mut history = History::new(1, &[0], 1, in_every_format(900));
    history.gateways[0].push_what(|shape| shape.gop_ms() == 1_000 && is_it(shape));
    history.seconds(2);
    let push = history.gateways[0].begin(stream, None, history.now_ms);
    history.seconds(31);
    history.gateways[0].end(&push, history.now_ms);
    history.seconds(120);
    assert_eq!(record_files(&history).unwrap().values().map(|files| files.len()).sum::<usize>(), 3);
    history
}

/// Whether something is found once objects whose names end so are changed. They are then as they were.
fn is_found(history: &History, suffixes: &[&str], change: impl Fn(&mut Vec<u8>)) -> bool {
    let objects = || history.hosts.any().buckets.objects.borrow_mut();
    let whole = objects().clone();
    let is_meant = |name: &str| suffixes.iter().any(|suffix| name.ends_with(suffix));
    let changed = |(name, object): (&String, &mut Object)| {
        if is_meant(name) {
            change(&mut object.bytes);
        }
        is_meant(name) && object.bytes != whole[name].bytes
    };
    let changed = objects().iter_mut().map(changed).filter(|is_changed| *is_changed).count();
    assert_eq!(changed, suffixes.len(), "something else is changed");
    let is_found = record_files(history).is_err();
    *objects() = whole;
    record_files(history).unwrap();
    is_found
}

#[test]
fn what_is_wrong_with_a_record_file_is_found() {
    let history = recorded(|shape| shape.features(0, 31_000).eq(FEATURES));
    for (what, suffix, change) in CHANGES {
        assert!(is_found(&history, &[suffix], change), "{what}: nothing is found");
    }
}
