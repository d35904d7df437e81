//! Odd pushes made of real media: parameter sets that change, an hour of audio alone, every split.

use std::path::{Path, PathBuf};

use flv::{Reader, Tag, TagKind};
use recorder_remux::{Policy, remux};

use crate::{
    chunks, compare,
    corpus::record,
    entries::{self, Sample},
    ffmpeg,
    packets::{Packet, Source},
    transport_stream::{self, Pes},
    tstools,
};

fn sample(name: &str) -> Sample {
    entries::make(entries::all().into_iter().find(|entry| entry.name == name).unwrap())
}

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
    // Later than either track of the first ends.
    let offset_ms = 10_100;
    let mut pieces = chunks::cut(&first.flv, 2_000);
    let boundary = pieces.len();
    pieces.extend(chunks::cut(&moved(&second.flv, offset_ms), 2_000));
    let slices = record(&pieces);
    let marks: Vec<bool> = slices.iter().map(|(slice, _)| slice.discontinuity).collect();
    assert_eq!(marks, (0..pieces.len()).map(|index| index == boundary).collect::<Vec<_>>());
    let stream: Vec<u8> = slices.iter().flat_map(|(_, stream)| stream).copied().collect();
    assert_eq!(transport_stream::check_multiplex(&stream, 9_000).versions, versions);

    // Each piece's own times, the second's after the first's.
    let start_ms = |sample: &Sample| {
        let tracks = [&sample.source.video, &sample.source.audio].into_iter().flatten();
        tracks.map(|track| track.packets[0].dts_ms).min().unwrap()
    };
    let first_base = mpegts::PTS_BASE_90KHZ - start_ms(&first) * 90;
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

/// The file with each track's tags in place and audio, or video, sent earlier than the other by `ahead_ms`.
fn interleaved(file: &[u8], early: TagKind, ahead_ms: u32) -> Vec<u8> {
    let mut tags: Vec<Tag<'_>> = Reader::new(file).unwrap().map(Result::unwrap).collect();
    tags.sort_by_key(|tag| if tag.kind == early { tag.timestamp_ms } else { tag.timestamp_ms + ahead_ms });
    let mut interleaved = Vec::new();
    flv::write_header(&mut interleaved, true, true);
    for tag in tags {
        flv::write_tag(&mut interleaved, tag.kind, tag.timestamp_ms, tag.body).unwrap();
    }
    interleaved
}

#[test]
fn tracks_that_are_sent_unevenly_arrive_in_time() {
    if !ffmpeg::is_installed() {
        return;
    }
    let sample = sample("h264_aac");
    for (early, ahead_ms) in [(TagKind::Audio, 400), (TagKind::Video, 100)] {
        let slices = record(&chunks::cut(&interleaved(&sample.flv, early, ahead_ms), 2_000));
        assert!(slices.len() > 2);
        let stream: Vec<u8> = slices.iter().flat_map(|(_, stream)| stream).copied().collect();
        transport_stream::check_multiplex(&stream, 9_000);
        let (video, audio) = transport_stream::pes_packets(&stream);
        let [video_source, audio_source] =
            [&sample.source.video, &sample.source.audio].map(|it| it.as_ref().unwrap());
        let first = if early == TagKind::Audio { audio_source } else { video_source };
        let base = mpegts::PTS_BASE_90KHZ - first.packets[0].dts_ms * 90;
        compare::video(video_source, &video, base, 0);
        compare::audio(audio_source, &audio, base, 1_024.0 * 90_000.0 / 44_100.0);
    }
}

#[test]
fn video_that_begins_two_seconds_after_audio_leaves_no_gap_in_the_clock() {
    if !ffmpeg::is_installed() {
        return;
    }
    let sample = sample("h264_aac");
    let mut late = Vec::new();
    flv::write_header(&mut late, true, true);
    for tag in Reader::new(&sample.flv).unwrap().map(Result::unwrap) {
        if tag.kind == TagKind::Audio || tag.timestamp_ms >= 2_000 || tag.body[1] == 0 {
            flv::write_tag(&mut late, tag.kind, tag.timestamp_ms, tag.body).unwrap();
        }
    }
    let slices = record(&[late]);
    let multiplex = transport_stream::check_multiplex(&slices[0].1, 9_000);
    let first = multiplex.pcrs[0];
    assert!(first <= mpegts::PTS_BASE_90KHZ, "the first clock reference is {first}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus/late-video.ts");
    std::fs::write(&path, &slices[0].1).unwrap();
    ffmpeg::decodes_without_a_warning(&path);
    tstools::reports_no_error(&path);
}

#[test]
fn an_hour_of_audio_alone() {
    if !ffmpeg::is_installed() {
        return;
    }
    let Sample { flv, source, .. } = sample("aac_only");
    let tags: Vec<Tag<'_>> = Reader::new(&flv).unwrap().map(Result::unwrap).collect();
    let is_audio = |tag: &&Tag<'_>| tag.kind == TagKind::Audio;
    let mut messages = tags.iter().filter(is_audio);
    let header = messages.next().unwrap().body;
    let bodies: Vec<&[u8]> = messages.map(|tag| tag.body).collect();
    let mut hour = Source::default();
    let mut audio = source.audio.unwrap();
    audio.packets.clear();
    let mut file = Vec::new();
    flv::write_header(&mut file, true, false);
    flv::write_tag(&mut file, TagKind::Audio, 0, header).unwrap();
    for frame in 0..3_600 * 44_100 / 1_024_u64 {
        let body = bodies[frame as usize % bodies.len()];
        let time_ms = frame * 1_024_000 / 44_100;
        flv::write_tag(&mut file, TagKind::Audio, time_ms as u32, body).unwrap();
        let time_ms = time_ms as i64;
        audio.packets.push(Packet {
            dts_ms: time_ms,
            pts_ms: time_ms,
            is_key: true,
            data: body[2..].to_vec(),
        });
    }
    hour.audio = Some(audio);

    let slices = record(&chunks::cut(&file, 5_000));
    assert!(slices.len() > 700);
    let stream: Vec<u8> = slices.iter().flat_map(|(_, stream)| stream).copied().collect();
    transport_stream::check_multiplex(&stream, 9_000);
    let (_, pes) = transport_stream::pes_packets(&stream);
    compare::audio(hour.audio.as_ref().unwrap(), &pes, mpegts::PTS_BASE_90KHZ, 1_024.0 * 90_000.0 / 44_100.0);
    let last = &slices[slices.len() - 1].0;
    let end_s = (last.start_90khz + last.duration_90khz) as f64 / 90_000.0;
    assert!((end_s - 3_600.0).abs() < 0.03, "ends after {end_s} s");
}

#[test]
fn every_split_of_a_real_file_gives_the_same_tags() {
    if !ffmpeg::is_installed() {
        return;
    }
    // The first few tags hold every kind; splits further on are all alike.
    let flv = sample("h264_aac").flv;
    let file = &flv[..flv.len().min(12_000)];
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut demuxer = flv::Demuxer::new();
        let mut tags = Vec::new();
        for piece in pieces {
            demuxer.push(piece);
            while let Some(tag) = demuxer.next_tag().unwrap() {
                tags.push((tag.kind, tag.timestamp_ms, tag.offset, tag.body.to_vec()));
            }
        }
        tags
    };
    let whole = read(&mut [file].into_iter());
    assert!(whole.len() > 3);
    assert_eq!(read(&mut file.chunks(1)), whole);
    for split in 0..file.len() {
        let (head, tail) = file.split_at(split);
        assert_eq!(read(&mut [head, tail].into_iter()), whole, "split at {split}");
    }
}

#[test]
fn spectral_band_replication_and_parametric_stereo_decode_alike() {
    if !ffmpeg::is_installed() {
        return;
    }
    for name in ["he_aac", "he_aac_v2"] {
        let flv = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/corpus/golden/{name}.flv"));
        let slices = record(&[std::fs::read(&flv).unwrap()]);
        let audio = slices[0].0.audio.as_ref().unwrap();
        assert_eq!((audio.sample_rate_hz, audio.channels), (48_000, 2), "{name}");
        let stream = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus").join(name).with_extension("ts");
        std::fs::create_dir_all(stream.parent().unwrap()).unwrap();
        std::fs::write(&stream, &slices[0].1).unwrap();
        ffmpeg::decodes_without_a_warning(&stream);
        let hashes = ffmpeg::frame_hashes(&flv, "a:0");
        assert!(hashes.is_some() && hashes == ffmpeg::frame_hashes(&stream, "a:0"), "{name}");
    }
}

#[test]
fn clock_references_come_as_densely_as_the_policy_asks() {
    let flv = include_bytes!("../../../../tests/corpus/golden/h264_aac.flv");
    for interval in [3_600, 9_000] {
        let muxer = mpegts::MuxerPolicy { max_pcr_interval_90khz: interval };
        let policy = Policy { muxer, ..Policy::default() };
        let (slice, mut muxer) = remux(flv, &[], &policy).unwrap();
        let mut stream = Vec::with_capacity(slice.size as usize);
        muxer.write(&mut stream);
        let pcrs = transport_stream::check_multiplex(&stream, i64::from(interval)).pcrs;
        // Five pictures a second: most references stand alone.
        assert!(pcrs.len() > 72_000 / interval as usize, "{} references", pcrs.len());
    }
}
