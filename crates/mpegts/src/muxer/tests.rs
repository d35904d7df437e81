//! Slices are written and taken apart again.

mod content;
mod reader;

use codec::aac::AudioSpecificConfig;
use media::{AudioCodec, AudioConfig, Data, Track, VideoCodec, VideoConfig};

use self::reader::{Found, Pes, read};
use super::*;
use crate::{PCR_LEAD_90KHZ, PTS_BASE_90KHZ};

fn video_config<'a>(codec: VideoCodec, headers: &[&'a [u8]]) -> VideoConfig<'a> {
    VideoConfig { codec, size: None, length_size: 2, headers: headers.to_vec() }
}

/// MP3 whose frames last 1,920 at 90 kHz.
fn mp3() -> AudioConfig {
    AudioConfig {
        codec: AudioCodec::Mp3,
        sample_rate_hz: 48_000,
        channels: Some(2),
        frame_duration_90khz: 1_920,
        aac: None,
        has_adts_headers: false,
    }
}

fn aac(has_adts_headers: bool) -> AudioConfig {
    let aac = Some(AudioSpecificConfig::parse(&[0x11, 0x90]).unwrap());
    AudioConfig { codec: AudioCodec::Aac, aac, has_adts_headers, ..mp3() }
}

fn unit<'a>(dts_90khz: i64, random_access: bool, config: u32, data: Data<'a>) -> AccessUnit<'a> {
    AccessUnit { dts_90khz, pts_90khz: dts_90khz, random_access, config, data }
}

/// Pictures at some times, the first a keyframe, and sound frames of 100 bytes at others.
fn media(pictures: &[i64], sound: &[i64]) -> Media<'static> {
    let mut media = Media::default();
    media.video.configs = vec![video_config(VideoCodec::H264, &[&[0x67, 1], &[0x68, 2]])];
    media.audio.configs = vec![mp3()];
    let picture = |&dts| unit(dts, dts == pictures[0], 0, Data::NalUnits(vec![&[0x41, 0x9a, 3]]));
    media.video.units = pictures.iter().map(picture).collect();
    media.audio.units = sound.iter().map(|&dts| unit(dts, true, 0, Data::Frame(&[7; 100]))).collect();
    media
}

/// Times from one on until before another.
fn every(step: usize, times: std::ops::Range<i64>) -> Vec<i64> {
    times.step_by(step).collect()
}

/// Writes all into blocks with so much room.
fn write_in(mut muxer: Muxer<'_>, room: usize) -> Vec<u8> {
    let (mut stream, mut block) = (Vec::new(), Vec::with_capacity(room));
    loop {
        block.clear();
        let capacity = block.capacity();
        muxer.write(&mut block);
        stream.extend_from_slice(&block);
        assert_eq!(block.capacity(), capacity);
        if capacity - block.len() >= PACKET_SIZE {
            let written = block.len();
            muxer.write(&mut block);
            assert_eq!(block.len(), written, "a block is left with room at the end alone");
            return stream;
        }
    }
}

/// Writes a slice, which is the same in blocks of any size, and the state after it, which can be saved.
fn slice_with(media: &Media<'_>, state: &mut MuxerState, policy: MuxerPolicy) -> Vec<u8> {
    let muxer = || Muxer::new(media.clone(), state, policy).unwrap();
    let stream = write_in(muxer(), 1 << 20);
    assert_eq!((stream.len() as u64, muxer().media()), (muxer().size(), media));
    for room in [188, 375, 188 * 5 + 100, 188 * 21 + 1] {
        assert!(write_in(muxer(), room) == stream, "blocks of {room}");
    }
    let mut small = Vec::with_capacity(187);
    muxer().write(&mut small);
    assert!(small.is_empty());
    *state = muxer().end_state();
    assert_eq!(MuxerState::decode(&state.encode()), Some(*state));
    stream
}

fn slice(media: &Media<'_>, state: &mut MuxerState) -> Vec<u8> {
    slice_with(media, state, MuxerPolicy::default())
}

/// The order of a stream: tables as `T`, clock references as `P` with when, pictures as `V` and sound as `A` with their
/// decoding times; with `+` where they carry a clock reference, and `x` with the number of frames. A clock reference is
/// counted from that of a picture at 0.
fn order(stream: &[u8]) -> String {
    let clock = |pcr: i64| pcr - PTS_BASE_90KHZ + PCR_LEAD_90KHZ;
    let word = |found: Found| match found {
        Found::Tables(_) => "T".to_owned(),
        Found::Pcr(pcr) => format!("P{}", clock(pcr)),
        Found::Pes(pes) => {
            let dts = pes.dts - PTS_BASE_90KHZ;
            let plus = pes.pcr.map_or("", |pcr| if clock(pcr) == dts { "+" } else { "?" });
            match (pes.pid, pes.data.len() / 100) {
                (0x100, _) => format!("V{dts}{plus}"),
                (_, 1) => format!("A{dts}{plus}"),
                (_, frames) => format!("A{dts}{plus}x{frames}"),
            }
        }
    };
    read(stream).into_iter().map(word).collect::<Vec<_>>().join(" ")
}

fn pes_packets(stream: &[u8]) -> Vec<Pes> {
    let pes = |found| if let Found::Pes(pes) = found { Some(pes) } else { None };
    read(stream).into_iter().filter_map(pes).collect()
}

#[test]
fn tracks_are_interleaved_by_decoding_times_behind_tables_and_clock_references() {
    let mut state = MuxerState::default();
    let first = slice(&media(&every(3_600, 0..18_000), &every(1_920, 0..19_200)), &mut state);
    // Frames share a packet as soon as the decoder's buffer is known; tables come twice in 100 ms.
    let expected = "T V0+ A0 A1920 V3600+ A3840 A5760 T V7200+ A7680 A9600 V10800+ A11520x4 T V14400+";
    assert_eq!(order(&first), expected);
    let second = slice(&media(&every(3_600, 18_000..32_400), &every(1_920, 19_200..34_560)), &mut state);
    let expected = " T V18000+ A19200 A21120 V21600+ A23040 A24960 T V25200+ A26880 V28800+ A28800 A30720x2";
    assert_eq!(order(&[&first[..], &second].concat()), order(&first) + expected);
    let expected = MuxerState {
        version: 0,
        pcr_90khz: Some(28_800 + PTS_BASE_90KHZ - PCR_LEAD_90KHZ),
        tables_90khz: Some(25_200 + PTS_BASE_90KHZ - PCR_LEAD_90KHZ),
        audio_end_90khz: Some(34_560 + PTS_BASE_90KHZ),
        video_dts_90khz: Some(28_800 + PTS_BASE_90KHZ),
        ..state
    };
    assert_eq!(state, expected);
}

#[test]
fn clock_references_and_tables_go_on_through_a_pause() {
    let paused = media(&[0, 3_600, 30_000], &[]);
    let order_at = |max_pcr_interval_90khz| {
        order(&slice_with(&paused, &mut MuxerState::default(), MuxerPolicy { max_pcr_interval_90khz }))
    };
    assert_eq!(order_at(9_000), "T V0+ V3600+ T P9000 T P18000 T P27000 V30000+");
    assert_eq!(
        order_at(3_600),
        "T V0+ V3600+ T P7200 P10800 T P14400 P18000 T P21600 P25200 T P28800 V30000+"
    );
    // A pause of minutes is bounded by the number of references.
    let long = read(&slice(&media(&[0, 180 * 90_000], &[]), &mut MuxerState::default()));
    let references = long.iter().filter(|found| matches!(found, Found::Pcr(_))).count();
    assert_eq!((references, long.iter().filter(|found| matches!(found, Found::Pes(_))).count()), (1_000, 2));
}

#[test]
fn the_clock_rises_whatever_a_saved_state_says() {
    // Tables that are older than the clock references would be due before the last of these.
    let begin = PTS_BASE_90KHZ - PCR_LEAD_90KHZ;
    let state =
        MuxerState { pcr_90khz: Some(begin + 20_000), tables_90khz: Some(0), ..MuxerState::default() };
    assert_eq!(order(&slice(&media(&[24_000], &[]), &mut state.clone())), "T P20001 V24000+");
    let late = media(&[19_000, 19_500], &[]);
    let pcrs: Vec<_> = pes_packets(&slice(&late, &mut state.clone())).iter().map(|pes| pes.pcr).collect();
    assert_eq!(pcrs, [20_001, 20_002].map(|pcr| Some(begin + pcr)));
}

#[test]
fn the_clock_goes_with_video_where_there_is_video() {
    let order_of =
        |pictures: &[i64], sound: &[i64]| order(&slice(&media(pictures, sound), &mut MuxerState::default()));
    assert_eq!(order_of(&[], &every(1_920, 0..7_680)), "T A0+ A1920+ A3840+ T A5760+");
    // Sound comes before the first picture.
    assert_eq!(order_of(&[5_000, 8_600], &every(1_920, 0..11_520)), {
        "T P0 A0 A1920 A3840 T V5000+ A5760 A7680 V8600+ A9600"
    });
}

#[test]
fn the_clock_does_not_pass_a_track_that_is_pushed_late() {
    for (next_sound, first_pictures) in [(61_440, 118_800), (120_960, 90_000)] {
        let mut state = MuxerState::default();
        let mut stream =
            slice(&media(&every(3_600, 0..first_pictures), &every(1_920, 0..next_sound)), &mut state);
        let (pictures, sound) = (every(3_600, first_pictures..240_000), every(1_920, next_sound..240_000));
        stream.extend(slice(&media(&pictures, &sound), &mut state));
        // The reader finds the clock before every decoding time, and rising.
        let all = pes_packets(&stream);
        let bytes = all.iter().filter(|pes| pes.pid == 0x101).map(|pes| pes.data.len()).sum::<usize>();
        assert_eq!((all.iter().filter(|pes| pes.pid == 0x100).count(), bytes), (67, 12_500));
    }
}
