//! Odd pushes made of real media: late, long, through the wrap of the clock.

use std::path::Path;

use flv::{Reader, Tag, TagKind};
use recorder_remux::{Policy, SessionState, remux};

use crate::{
    chunks, compare,
    corpus::{record, start_ms},
    entries::{Sample, sample},
    ffmpeg,
    packets::{Packet, Source},
    transport_stream, tstools,
};

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
fn a_recording_goes_on_through_the_wrap_of_its_clock() {
    /// Where the 33 bits of a transport stream's clock end, after 26.5 hours.
    const WRAP: i64 = 1 << 33;
    if !ffmpeg::is_installed() {
        return;
    }
    let sample = sample("h264_aac");
    let pieces = chunks::cut(&sample.flv, 2_000);
    let (first, _) = remux(&pieces[0], &[], &Policy::default()).unwrap();
    // The session as it would be a day later: the wrap comes three seconds on.
    let later = WRAP - mpegts::PTS_BASE_90KHZ - 5 * 90_000;
    let mut state = SessionState::decode(&first.state).unwrap();
    for clock in [&mut state.timeline.video, &mut state.timeline.audio].into_iter().flatten() {
        clock.offset_90khz += later;
        clock.home_90khz += later;
        clock.dts_90khz += later;
        clock.time_90khz += later;
        clock.pace.ideal_90khz += later;
    }
    let muxer = &mut state.muxer;
    let written = [&mut muxer.pcr_90khz, &mut muxer.tables_90khz];
    let ends = [&mut muxer.audio_end_90khz, &mut muxer.video_dts_90khz];
    let more = [&mut state.last_video_dts_90khz, &mut state.end_90khz];
    for time in written.into_iter().chain(ends).chain(more) {
        *time = time.map(|time| time + later);
    }
    let mut state = state.encode();
    let mut stream = Vec::new();
    for piece in &pieces[1..] {
        let (slice, mut muxer) = remux(piece, &state, &Policy::default()).unwrap();
        assert_eq!(slice.repairs, media::Repairs::default());
        let mut written = Vec::with_capacity(slice.size as usize);
        muxer.write(&mut written);
        stream.extend_from_slice(&written);
        state = slice.state;
    }

    let unwrapped = |time: i64| if time < WRAP / 2 { time + WRAP } else { time };
    let pcrs: Vec<i64> = stream.chunks(188).filter_map(transport_stream::pcr).collect();
    assert!(pcrs.iter().any(|&pcr| pcr > WRAP / 2) && pcrs.iter().any(|&pcr| pcr < WRAP / 2));
    assert!(pcrs.windows(2).all(|pair| (1..=9_000).contains(&(unwrapped(pair[1]) - unwrapped(pair[0])))));
    let (mut video, _) = transport_stream::pes_packets(&stream);
    for pes in &mut video {
        (pes.pts, pes.dts) = (unwrapped(pes.pts), unwrapped(pes.dts));
    }
    video.sort_by_key(|pes| pes.dts);
    let mut source = sample.source.video.unwrap();
    let recorded = first.video.unwrap().access_units as usize;
    source.packets.drain(..recorded);
    let start_ms = start_ms(&sample.flv);
    compare::video(&source, &video, mpegts::PTS_BASE_90KHZ + later - start_ms * 90, 0);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus/wrap.ts");
    std::fs::write(&path, &stream).unwrap();
    ffmpeg::decodes_without_a_warning(&path);
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
fn spectral_band_replication_and_parametric_stereo_decode_alike() {
    if !ffmpeg::is_installed() {
        return;
    }
    for name in ["he_aac", "he_aac_v2"] {
        let flv = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/corpus/golden/{name}.flv"));
        let slices = record(&[std::fs::read(&flv).unwrap()]);
        let audio = slices[0].0.audio.as_ref().unwrap();
        assert_eq!((audio.sample_rate_hz, audio.channels), (48_000, Some(2)), "{name}");
        let stream = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus").join(name).with_extension("ts");
        std::fs::create_dir_all(stream.parent().unwrap()).unwrap();
        std::fs::write(&stream, &slices[0].1).unwrap();
        ffmpeg::decodes_without_a_warning(&stream);
        let frames = ffmpeg::frame_hashes(&flv);
        assert!(frames[1].is_some(), "{name}");
        ffmpeg::same_frames(name, &frames, &stream);
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
