//! What is kept of a session, byte by byte.

use media::{Arrival, ArrivalPoint, Lead, Pace, TrackClock, VideoCodec};

use super::*;

/// An ADTS frame that goes on: its header and two bytes.
const BEGUN: &[u8] = &[0xff, 0xf1, 0x50, 0x80, 0x3f, 0xff, 0xfc, 1, 2];

/// Bytes of the sample's parts.
const PARTS: [usize; 6] = [5, 6, 5, 6, 5, 16];

fn sample() -> SessionState<'static> {
    let clock = TrackClock {
        timestamp_ms: u32::MAX,
        stamp_ms: 1 << 33,
        offset_90khz: -(1 << 40),
        home_90khz: (1 << 40) - 90,
        dts_90khz: (1 << 40) + 1,
        time_90khz: 1 << 40,
        unproven_90khz: 45_000,
        gained_90khz: -7,
        alone: 3,
        pace: Pace {
            ideal_90khz: 1 << 40,
            frame_256: 3_600 << 8,
            jitter_90khz: 30,
            last_step_90khz: -1,
            steps: 255,
        },
        lead: Lead { mean_90khz: -1_000, spread_90khz: 400, units: 9 },
    };
    let point = ArrivalPoint { arrival_ms: 5_000, time_90khz: -9 };
    let mut arrival = Arrival::default();
    (arrival.last, arrival.collapsed_90khz) = (Some(point), 1);
    SessionState {
        timeline: Timeline {
            video: Some(clock),
            audio: None,
            settled: true,
            last_shift_90khz: -6_300,
            arrival,
            ..Timeline::default()
        },
        presentation: PresentationStamps { depth: 8, frame_ms: 40, ..PresentationStamps::default() },
        end_90khz: Some(1 << 40),
        start_90khz: 1 << 39,
        decoding_shift_90khz: 7200,
        last_video_dts_90khz: Some(-5),
        video_config: Some(u64::MAX),
        audio_config: None,
        muxer: MuxerState {
            version: 31,
            continuity: [0, 15, 7, 8],
            audio_lag_90khz: 67_500,
            ..MuxerState::default()
        },
        video: Some(VideoState {
            codec: VideoCodec::Hevc,
            length_size: 2,
            header: Some(7),
            identity: 8,
            headers: vec![&[0x40, 1], &[0x42, 1, 1]],
        }),
        audio_record: Some(&[0x12, 0x10]),
        leading_units: vec![&[6, 1, 0x80], &[9, 0xf0]],
        adts_frame: PartialFrame::begin(BEGUN, u32::MAX),
    }
}

#[test]
fn decoding_gives_back_what_was_encoded() {
    for state in [sample(), SessionState::default()] {
        let bytes = state.encode();
        let parts = if state == sample() { PARTS.iter().sum() } else { 0 };
        assert_eq!(bytes.len(), SessionState::SIZE + parts);
        assert_eq!(SessionState::decode(&bytes), Ok(state));
    }
    assert_eq!(SessionState::decode(&[]), Ok(SessionState::default()));
}

#[test]
fn other_versions_and_lengths_are_refused() {
    let bytes = sample().encode();
    assert_eq!(SessionState::decode(&[1]), Err(StateError::Version { found: 1 }));
    // Between two parts a state may end.
    let ends = PARTS.iter().scan(SessionState::SIZE, |end, size| Some(std::mem::replace(end, *end + size)));
    let ends: Vec<usize> = ends.collect();
    for size in (1..bytes.len()).filter(|size| !ends.contains(size)) {
        assert_eq!(SessionState::decode(&bytes[..size]), Err(StateError::Size { found: size }));
    }
    let unit = [&[3, 8, 0][..], &[0; 2_048]].concat();
    // A second frame that goes on, and a part that could be one.
    let frame = [&[4, 0, 13, 0, 0, 0, 5][..], BEGUN].concat();
    let unknown = [&[5], &frame[1..]].concat();
    for more in [&[0][..], &[0, 0, 1, 0], &[2, 0, 1, 0], &[3, 0, 0], &unit, &frame, &unknown] {
        let longer = [bytes.as_slice(), more].concat();
        assert_eq!(SessionState::decode(&longer), Err(StateError::Size { found: longer.len() }));
    }
}

#[test]
fn every_changed_byte_gives_a_state_or_an_error() {
    let bytes = sample().encode();
    for index in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[index] = value;
            if let Ok(state) = SessionState::decode(&changed) {
                assert_eq!(SessionState::decode(&state.encode()), Ok(state), "byte {index} as {value}");
            }
        }
    }
}

/// Whether a changed sample can be read back.
fn holds(change: impl FnOnce(&mut SessionState<'static>)) -> bool {
    let mut state = sample();
    change(&mut state);
    let bytes = state.encode();
    let found = SessionState::decode(&bytes);
    assert!(found.is_err() || found == Ok(state));
    found.is_ok()
}

#[test]
fn what_a_session_can_reach_is_read_and_what_it_cannot_is_refused() {
    fn clock<'s>(state: &'s mut SessionState<'static>) -> &'s mut TrackClock {
        state.timeline.video.as_mut().unwrap()
    }
    // The deepest reordering and the slowest pace are kept as exactly that.
    assert!(holds(|state| state.decoding_shift_90khz = MAX_SHIFT_90KHZ as u32));
    assert!(!holds(|state| state.decoding_shift_90khz = MAX_SHIFT_90KHZ as u32 + 1));
    assert!(holds(|state| clock(state).pace.frame_256 = Pace::MAX_FRAME_256));
    assert!(!holds(|state| clock(state).pace.frame_256 = Pace::MAX_FRAME_256 + 1));
    // Five hundred years of milliseconds, and what in ticks would come near the end of 64 bits with another time added.
    for sign in [1, -1] {
        assert!(holds(|state| clock(state).stamp_ms = sign << 44));
        assert!(!holds(|state| clock(state).stamp_ms = sign << 46));
    }
    // Without an ADTS frame, a part of an unknown kind is none either.
    let mut state = sample();
    state.adts_frame = None;
    let bytes = [&state.encode()[..], &[5, 0, 13, 0, 0, 0, 5], BEGUN].concat();
    assert_eq!(SessionState::decode(&bytes), Err(StateError::Size { found: bytes.len() }));
}

#[test]
fn parts_are_kept_up_to_their_sizes_with_three_bytes_for_each() {
    const BYTES: &[u8] = &[0x42; 2_048];
    let with_headers = |sizes: &[usize]| {
        let mut state = sample();
        let headers = sizes.iter().map(|&size| &BYTES[..size]).collect();
        state.video.as_mut().unwrap().headers = headers;
        let bytes = state.encode();
        let found = SessionState::decode(&bytes).unwrap().video.unwrap().headers.len();
        assert!(found == 0 || found == sizes.len());
        found > 0
    };
    assert!(with_headers(&[1_277]) && with_headers(&[1_000, 274]) && with_headers(&[1; 320]));
    assert!(!with_headers(&[1_278]) && !with_headers(&[1_000, 275]) && !with_headers(&[1; 321]));
    assert!(holds(|state| state.leading_units = vec![&BYTES[..2_045]]));
    assert!(!holds(|state| state.leading_units = vec![&BYTES[..2_046]]));
    assert!(holds(|state| state.leading_units = vec![&BYTES[..1]; 512]));
    assert!(!holds(|state| state.leading_units = vec![&BYTES[..1]; 513]));
}
