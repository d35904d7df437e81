//! Recordings in which the encoder changes what it sends: parameter sets, rates, codecs, tracks.

use std::path::{Path, PathBuf};

use flv::Reader;

use crate::{
    chunks, compare,
    corpus::{record, start_ms},
    entries::sample,
    ffmpeg,
    transport_stream::{self, Pes},
    tstools,
};

/// The file with `offset_ms` added to all times.
fn moved(file: &[u8], offset_ms: u32) -> Vec<u8> {
    let mut moved = Vec::new();
    flv::write_header(&mut moved, true, true);
    for tag in Reader::new(file).unwrap().map(Result::unwrap) {
        flv::write_tag(&mut moved, tag.kind, tag.timestamp_ms.wrapping_add(offset_ms), tag.body).unwrap();
    }
    moved
}

/// Records one piece of the corpus after another in one session, and checks that all of both is there.
///
/// `versions` are those of the program map; the second piece begins with the one slice that is a discontinuity.
fn check_change(first: &str, second: &str, versions: &[u8]) -> PathBuf {
    let (first, second) = (sample(first), sample(second));
    // A little later than either track of the first ends. (After a longer pause the first message alone, if the
    // push may be cut right after it, cannot be told from a wrong stamp.)
    let tracks = [&first.source.video, &first.source.audio].into_iter().flatten();
    let end_ms = tracks.flat_map(|track| &track.packets).map(|packet| packet.dts_ms).max().unwrap();
    let offset_ms = u32::try_from(end_ms - start_ms(&first.flv) + 150).unwrap();
    let mut pieces = chunks::cut(&first.flv, 2_000);
    let boundary = pieces.len();
    pieces.extend(chunks::cut(&moved(&second.flv, offset_ms), 2_000));
    let slices = record(&pieces);
    let marks: Vec<bool> = slices.iter().map(|(slice, _)| slice.discontinuity).collect();
    assert_eq!(marks, (0..pieces.len()).map(|index| index == boundary).collect::<Vec<_>>());
    let stream: Vec<u8> = slices.iter().flat_map(|(_, stream)| stream).copied().collect();
    assert_eq!(transport_stream::check_multiplex(&stream, 9_000).versions, versions);

    // Each piece's own times, the second's after the first's.
    let first_base = mpegts::PTS_BASE_90KHZ - start_ms(&first.flv) * 90;
    let (video, audio) = transport_stream::pes_packets(&stream);
    let is_first = |pes: &&Pes| pes.dts < first_base + i64::from(offset_ms) * 90;
    for (sample, base, wanted) in
        [(&first, first_base, true), (&second, first_base + i64::from(offset_ms) * 90, false)]
    {
        let of =
            |pes: &[Pes]| -> Vec<Pes> { pes.iter().filter(|pes| is_first(pes) == wanted).cloned().collect() };
        match &sample.source.video {
            Some(source) => compare::video(source, &of(&video), base, 0),
            None => assert!(of(&video).is_empty()),
        }
        match &sample.source.audio {
            Some(source) => {
                let [first, .., last] = source.packets.as_slice() else { panic!("two packets at least") };
                let frames = source.packets.len() as f64 - 1.0;
                let frame_duration = (last.dts_ms - first.dts_ms) as f64 * 90.0 / frames;
                compare::audio(source, &of(&audio), base, frame_duration);
            }
            None => assert!(of(&audio).is_empty()),
        }
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("corpus/{}-to-{}.ts", first.entry.name, second.entry.name));
    std::fs::write(&path, &stream).unwrap();
    path
}

#[test]
fn a_recording_goes_on_when_the_encoder_changes_its_parameter_sets() {
    if !ffmpeg::is_installed() {
        return;
    }
    for (first, second) in [
        ("h264_aac", "h264_other_size"),
        ("hevc_hvc1", "hevc_other_size"),
        ("mpeg4_bframes_aac", "mpeg4_other_size"),
        ("aac_only", "aac_mono_16k"),
    ] {
        let path = check_change(first, second, &[0]);
        ffmpeg::decodes_without_a_warning(&path);
        tstools::reports_no_error(&path);
    }
}

#[test]
fn a_recording_goes_on_when_a_track_comes_or_a_codec_changes() {
    if !ffmpeg::is_installed() {
        return;
    }
    // Neither ffmpeg nor tstools reads a second program map, and ffmpeg's own clock stumbles over MP3's other rate.
    for (first, second, versions) in [
        ("h264_only", "h264_aac", &[0, 1][..]),
        ("aac_only", "h264_aac", &[0, 1]),
        ("h264_aac", "hevc_hvc1", &[0, 1]),
        ("h264_aac", "h264_baseline_mp3", &[0, 1]),
        ("mp3_only", "mp3_22k", &[0, 1]),
        ("mp3_only", "mp3_only_48k", &[0]),
    ] {
        check_change(first, second, versions);
    }
}
