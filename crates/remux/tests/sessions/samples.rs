//! The samples of odd chunks, and the entries that describe them.

use flv::TagKind::{self, Audio, Script, Video};
use media::TrackKind;
use recorder_remux::{Policy, remux_with_samples};
use sample_table::{SampleEntry, SampleTable};

use crate::{
    chunk::{AAC_44100, Chunk, avc_header, pps, slice, sps},
    mpeg4::{self, VOP},
};

/// A chunk's table and its samples.
struct Recorded {
    table: Vec<u8>,
    media: Vec<u8>,
}

impl Recorded {
    fn of(chunk: &Chunk) -> Self {
        let (_, muxer, mut samples) = remux_with_samples(&chunk.0, &[], &Policy::default()).unwrap();
        let mut media = Vec::with_capacity(samples.size() as usize);
        samples.write(&muxer, &mut media);
        Self { table: samples.table().to_vec(), media }
    }

    fn table(&self) -> SampleTable<'_> {
        SampleTable::parse(&self.table).unwrap()
    }

    /// Each run of a track: its entry, and how many samples it has.
    fn runs(&self, track: TrackKind) -> Vec<(u32, u32)> {
        let table = self.table();
        table.runs().filter(|run| run.track == track).map(|run| (run.entry, run.count)).collect()
    }

    /// Codec, width or rate, and record of each entry.
    fn entries(&self) -> Vec<(&'static str, u32, Vec<u8>)> {
        let table = self.table();
        let entries = table.head().entries.iter().map(|entry| match entry {
            SampleEntry::Video(entry) => (entry.codec.name(), entry.width.into(), entry.record.to_vec()),
            SampleEntry::Audio(entry) => (entry.codec.name(), entry.sample_rate_hz, entry.record.to_vec()),
        });
        entries.collect()
    }
}

/// NAL units behind lengths of so many bytes.
fn lengths(size: usize, units: &[&[u8]]) -> Vec<u8> {
    let length = |unit: &&[u8]| [&(unit.len() as u32).to_be_bytes()[4 - size..], unit].concat();
    units.iter().flat_map(length).collect()
}

fn picture(is_key: bool, payload: &[u8]) -> Vec<u8> {
    [&[if is_key { 0x17 } else { 0x27 }, 1, 0, 0, 0], payload].concat()
}

#[test]
fn sets_that_pictures_bring_are_neither_doubled_nor_another_entry() {
    // Each keyframe brings the sets, all in one message or in several, and a picture parameter set that is another.
    let sps: &[u8] = &sps(0, 8);
    for way in 0..3 {
        let (mut chunk, mut expected) = (Chunk::new(), Vec::new());
        for n in 0..3 {
            let (pps, slice) = (pps(0, 0, n), slice(0, n, true));
            let messages: [&[&[&[u8]]]; 3] = [
                &[&[sps, &pps, &slice]],
                &[&[sps], &[&pps, &slice]],
                &[&[&pps], &[sps], &[sps, &pps, &slice]],
            ];
            for units in messages[way] {
                chunk = chunk.avc(n * 40, true, units);
                expected.extend(lengths(4, units));
            }
        }
        let recorded = Recorded::of(&chunk);
        assert!(recorded.media == expected, "{:02x?}", recorded.media);
        assert_eq!(recorded.runs(TrackKind::Video), [(0, 3)]);
    }
}

#[test]
fn samples_have_lengths_of_four_bytes_and_no_padding() {
    let first = slice(0, 0, true);
    let short: &[u8] = b"\x41\x9a";
    let long = [&b"\x41\x01"[..], &[0x77; 826]].concat();
    let ambiguous = b"\x41\xe1\x01";
    for (size, units, padding) in [
        (4, vec![short], 2),
        (4, vec![short, short], 0),
        (4, vec![&b"\x41"[..], b"\x41", short], 0),
        (2, vec![short, short], 1),
        // Read with lengths of four bytes it is one unit of 833.
        (3, vec![&ambiguous[..], &long], 0),
    ] {
        let payload = [lengths(size, &units), vec![0; padding]].concat();
        let chunk = Chunk::new()
            .tag(Video, 0, &avc_header(size as u8, &[&sps(0, 8)], &[&pps(0, 0, 0)]))
            .tag(Video, 0, &picture(true, &lengths(size, &[&first])))
            .tag(Video, 40, &picture(false, &payload));
        let expected = [lengths(4, &[&sps(0, 8), &pps(0, 0, 0), &first]), lengths(4, &units)].concat();
        assert!(Recorded::of(&chunk).media == expected, "lengths of {size} bytes, {units:02x?}");
    }
}

/// A sequence header whose record has so many bytes.
fn header_of(number: u8, size: usize) -> Vec<u8> {
    let sps = [&sps(0, 8)[..], &vec![0x55; size]].concat();
    let pps = pps(0, 0, number.into());
    let rest = avc_header(4, &[&sps], &[&pps]).len() - 5 - size;
    avc_header(4, &[&sps[..sps.len() - rest]], &[&pps])
}

#[test]
fn records_are_kept_until_sixteen_kibibytes_are_full() {
    const LIMIT: usize = 16 << 10;
    // Each record is another one, of a sixteenth of the limit. What does not fit stays with the entry before.
    let mut chunk = Chunk::new();
    for n in 0..20 {
        let header = header_of(n as u8, LIMIT / 16);
        assert_eq!(header.len() - 5, LIMIT / 16);
        chunk = chunk.tag(Video, n * 40, &header).key(n * 40);
    }
    // Sound comes when they are full: it is described all the same.
    let he_aac: &[u8] = b"\xaf\0\x2b\x11\x88\x00";
    let chunk = chunk.tag(Audio, 800, he_aac).aac(800).tag(Audio, 823, AAC_44100).aac(823);
    let recorded = Recorded::of(&chunk);
    let entries = recorded.entries();
    assert_eq!(entries.len(), 17);
    let (audio, video) = entries.split_last().unwrap();
    assert!(video.iter().all(|(codec, _, record)| (*codec, record.len()) == ("h264", LIMIT / 16)));
    assert_eq!(*audio, ("aac", 48_000, vec![]));
    let runs = recorded.runs(TrackKind::Video);
    assert_eq!(runs.iter().map(|run| run.1).sum::<u32>(), 20);
    assert_eq!(runs.iter().filter(|run| run.0 == 15).map(|run| run.1).sum::<u32>(), 5);
    // One record as long as all of them may be, and one that is longer.
    for (size, expected) in [(LIMIT, LIMIT), (LIMIT + 1, 0)] {
        let layer = b"\0\0\x01\x20\0\xc4\x8d\x88\0\xcd\x0a\x04\x1e\x14\x63";
        let header = [&b"\x19\0\0\0\0"[..], layer, &vec![0x55; size - layer.len()]].concat();
        let chunk = Chunk::new().tag(Video, 0, &header).tag(Video, 0, b"\x19\x01\0\0\0\0\0\x01\xb6\x10");
        let entries = Recorded::of(&chunk).entries();
        assert_eq!((entries.len(), entries[0].1, entries[0].2.len()), (1, 320, expected), "{size} bytes");
    }
}

#[test]
fn long_sets_stand_before_their_first_picture_too() {
    let long = |unit: Vec<u8>| [&unit[..], &[0x55; 60_000]].concat();
    let (sps, pps) = (long(sps(0, 8)), long(pps(0, 0, 0)));
    let chunk = Chunk::new().tag(Video, 0, &avc_header(4, &[&sps], &[&pps])).key(0).inter(40);
    let expected = lengths(4, &[&sps, &pps, b"\x65\x88\x80", b"\x41\x9a\x01"]);
    assert!(Recorded::of(&chunk).media == expected);
}

#[test]
fn sets_of_each_configuration_stand_before_its_first_picture() {
    let long = |number: u32| [&pps(0, 0, number)[..], &[0x55; 20_000]].concat();
    let (mut chunk, mut expected) = (Chunk::new(), Vec::new());
    for number in 0..5 {
        let (sps, pps) = (sps(0, 8), long(number));
        chunk = chunk.tag(Video, number * 40, &avc_header(4, &[&sps], &[&pps])).key(number * 40);
        expected.extend(lengths(4, &[&sps, &pps, b"\x65\x88\x80"]));
    }
    assert!(Recorded::of(&chunk).media == expected);
}

#[test]
fn a_last_picture_may_last_for_seconds() {
    let chunk = Chunk::with_headers().key(0).key(2_000).key(4_000);
    assert_eq!(Recorded::of(&chunk).table().head().video.last_duration_90khz, 180_000);
}

#[test]
fn an_entry_of_aac_has_the_record_that_was_pushed_or_one_from_the_header_in_its_place() {
    // SBR over a core of 24 kHz, told by a record of four bytes.
    let he_aac: &[u8] = b"\xaf\0\x2b\x11\x88\x00";
    let recorded = Recorded::of(&Chunk::new().tag(Audio, 0, he_aac).aac(0).aac(43));
    assert_eq!(recorded.entries(), [("aac", 48_000, he_aac[2..].to_vec())]);
    // ADTS headers by turns, each of another size: the same configuration is the same entry.
    let adts = |rate: u8, size: u8| {
        let header = [0xff, 0xf1, 0x40 | rate << 2, 0x80, (7 + size) >> 3, (7 + size) << 5 | 0x1f, 0xfc];
        [&[0xaf, 1][..], &header, &vec![0x21; size.into()]].concat()
    };
    let mut chunk = Chunk::new();
    for n in 0..6_u8 {
        chunk = chunk.tag(Audio, u32::from(n) * 23, &adts(3 + n % 2, 3 + n));
    }
    let recorded = Recorded::of(&chunk);
    let expected = [("aac", 48_000, vec![0x11, 0x90]), ("aac", 44_100, vec![0x12, 0x10])];
    assert_eq!(recorded.entries(), expected);
    assert_eq!(recorded.runs(TrackKind::Audio), [0, 1, 0, 1, 0, 1].map(|entry| (entry, 1)));
}

#[test]
fn headers_of_mpeg4_in_keyframes_are_another_entry_where_the_size_or_what_stands_before_changes() {
    let record = |frames: &[(bool, &[u8])]| {
        let put = |chunk: Chunk, (n, &(is_key, headers)): (u32, &(bool, &[u8]))| {
            mpeg4::frame(chunk, n * 40, is_key, headers)
        };
        Recorded::of(&(0..).zip(frames).fold(Chunk::new(), put))
    };
    let (small, large) = (mpeg4::layer(0, 320, 240), mpeg4::layer(0, 640, 240));
    let sizes = record(&[(true, &small), (true, &small), (false, &[]), (true, &large), (true, &large)]);
    let expected = [("mpeg4", 320, small.clone()), ("mpeg4", 640, large.clone())];
    assert_eq!(sizes.entries(), expected);
    assert_eq!(sizes.runs(TrackKind::Video), [(0, 3), (1, 2)]);
    // Keyframes that bring headers need no others, whatever those are; one that brings none needs the last.
    let user = |name: &[u8]| [&small[..], b"\0\0\x01\xb2", name].concat();
    let (one, two) = (user(b"one"), user(b"two"));
    let brought = record(&[(true, &one), (true, &two), (false, &[]), (true, &[]), (false, &[])]);
    assert_eq!(brought.entries(), [("mpeg4", 320, one.clone()), ("mpeg4", 320, two.clone())]);
    assert_eq!(brought.runs(TrackKind::Video), [(0, 3), (1, 2)]);
    assert_eq!(brought.media, [&one[..], VOP, &two, VOP, VOP, &two, VOP, VOP].concat());
}

#[test]
fn a_group_of_vops_stays_in_its_sample_and_makes_no_entry() {
    let layer = mpeg4::layer(0, 320, 240);
    let (mut chunk, mut media) = (Chunk::new(), Vec::new());
    for n in 0..4 {
        let headers = [&layer[..], &mpeg4::group(n)].concat();
        let timestamp_ms = u32::from(n) * 80;
        chunk = mpeg4::frame(chunk, timestamp_ms, true, &headers);
        chunk = mpeg4::frame(chunk, timestamp_ms + 40, false, &[]);
        media.extend([&headers, VOP, VOP].concat());
    }
    // A keyframe that has no headers needs those of the stream, and no group of another one.
    let group = mpeg4::group(4);
    let recorded = Recorded::of(&mpeg4::frame(chunk, 320, true, &group));
    media.extend([&group, VOP].concat());
    assert_eq!(recorded.entries(), [("mpeg4", 320, layer)]);
    assert_eq!(recorded.runs(TrackKind::Video), [(0, 9)]);
    assert_eq!(recorded.media, media);
}

#[test]
fn script_data_has_the_time_of_what_it_came_with_and_so_much_of_it_is_kept() {
    let text = b"\x02\0\x0aonTextData\x05";
    // Sound comes after the first picture and belongs before it: all times move.
    let tags: &[(TagKind, u32, &[u8])] = &[
        (Video, 70_000, b"\x17\x01\0\0\0\0\0\0\x03\x65\x88\x80"),
        (Script, 70_000, text),
        (Audio, 69_800, b"\xaf\x01\x21\x10"),
        (Video, 70_040, b"\x27\x01\0\0\0\0\0\0\x03\x41\x9a\x01"),
        (Script, 70_040, text),
    ];
    let chunk = tags.iter().fold(Chunk::with_headers(), |chunk, &(kind, ms, body)| chunk.tag(kind, ms, body));
    let recorded = Recorded::of(&chunk);
    let table = recorded.table();
    let times: Vec<i64> = table.head().scripts.iter().map(|script| script.time_90khz).collect();
    let pictures = table.runs().filter(|run| run.track == TrackKind::Video);
    let pictures: Vec<i64> =
        pictures.flat_map(|run| run.samples().map(|sample| sample.dts_90khz).collect::<Vec<_>>()).collect();
    assert_eq!((times, pictures.clone()), (pictures, vec![200 * 90, 240 * 90]));
    let many = (0..300).fold(Chunk::with_headers().key(0), |chunk, _| chunk.tag(Script, 0, text));
    assert_eq!(Recorded::of(&many).table().head().scripts.len(), sample_table::MAX_SCRIPTS);
}
