//! Which audio frames share a PES packet.

use media::{AudioCodec, Data, Track};

use super::*;

static BYTES: [u8; 2_000] = [7; 2_000];

/// Frames of 1,024 samples at 48 kHz, so many and of such sizes.
fn frames(count: usize, size: usize) -> Vec<AccessUnit<'static>> {
    let frame = |dts| AccessUnit {
        dts_90khz: dts,
        pts_90khz: dts,
        random_access: true,
        config: 0,
        data: Data::Frame(&BYTES[..size]),
    };
    (0..).step_by(1_920).map(frame).take(count).collect()
}

/// How many frames the PES packets of a slice have, the first of which have one each.
fn shared(units: Vec<AccessUnit<'static>>, channels: u32) -> Vec<usize> {
    let config = AudioConfig {
        codec: AudioCodec::Aac,
        sample_rate_hz: 48_000,
        channels: Some(channels),
        frame_duration_90khz: 1_920,
        aac: None,
        has_adts_headers: true,
    };
    let count = units.len();
    let audio = Track { configs: vec![config.clone(), config], units };
    let media = Media { audio, ..Media::default() };
    let mut schedule = Schedule::new(&media, &MuxerState::default(), MuxerPolicy::default());
    let (mut shared, mut next) = (Vec::new(), 0);
    while let Some(step) = schedule.next(&media) {
        let Step::Pes(Pes { first, end, .. }) = step else { continue };
        assert_eq!(first, next, "no frame is left out, or written twice");
        next = end;
        shared.push(end - first);
    }
    assert_eq!(next, count);
    assert_eq!(shared[..6], [1; 6], "what waits in the decoder of the slice before is not known");
    shared.split_off(6)
}

#[test]
fn frames_share_a_packet_as_long_as_the_decoder_s_buffer_holds_them() {
    // Within 90 ms.
    assert_eq!(shared(frames(22, 100), 2), [5, 5, 5, 1]);
    // Six frames, which are 125 ms, wait with the first of a packet; each takes 21 bytes beside its own.
    assert_eq!(shared(frames(14, 379), 2), [3, 3, 2]);
    assert_eq!(shared(frames(12, 491), 2), [2, 2, 2], "3,584 bytes");
    assert_eq!(shared(frames(9, 492), 2), [1, 1, 1]);
    assert_eq!(shared(frames(9, 2_000), 2), [1, 1, 1], "a frame that finds no room goes alone");
    assert_eq!(shared(frames(16, 876), 6), [5, 5], "8,976 bytes");
    assert_eq!(shared(frames(16, 877), 6), [4, 4, 2]);
    assert_eq!(shared(frames(9, 1_476), 6), [1, 1, 1]);
    assert_eq!(shared(frames(9, 900), 1), [1, 1, 1]);
    // Large frames that were decoded leave room.
    let mut fewer = frames(22, 100);
    fewer[..6].iter_mut().for_each(|unit| unit.data = Data::Frame(&BYTES[..580]));
    assert_eq!(shared(fewer, 2), [4, 5, 5, 2]);
}

#[test]
fn frames_share_a_packet_where_a_decoder_counts_to_their_times() {
    let moved = |by: i64| {
        let mut units = frames(16, 100);
        units[8].dts_90khz += by;
        shared(units, 2)
    };
    // Stamps of whole milliseconds.
    assert_eq!([moved(90), moved(-90)], [[5, 5]; 2]);
    assert_eq!([moved(180), moved(-180)], [[2, 1, 5, 2]; 2]);
    // A gap, after which all is in its place again.
    let mut units = frames(16, 100);
    units[8..].iter_mut().for_each(|unit| unit.dts_90khz += 90_000);
    assert_eq!(shared(units, 2), [2, 5, 3]);
    // Another configuration.
    let mut units = frames(16, 100);
    units[9..].iter_mut().for_each(|unit| unit.config = 1);
    assert_eq!(shared(units, 2), [3, 5, 2]);
}
