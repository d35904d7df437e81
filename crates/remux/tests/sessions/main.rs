//! Sessions made by hand: what odd pushes become. Media is a few bytes a frame; only its framing is real.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod adts;
mod chunk;
mod configurations;
mod cost;
mod entries;
mod framings;
mod limits;
mod mpeg4;
mod pictures;
mod samples;
mod script;
mod sets;
mod stamps;
mod tracks;

use chunk::{AAC_44100, AAC_48000, AVC_180, AVC_1080, Chunk, SPS_180, record, repairs, write};
use flv::TagKind::{Audio, Script, Video};
use media::RepairKind;
use recorder_remux::{Error, Policy, SessionState, Slice, remux};

#[test]
fn a_message_without_a_frame_goes_with_the_next_picture() {
    let sei = b"\x06\x05\x01\x00\x80";
    let chunk = Chunk::with_headers().key(0).avc(20, false, &[b"\x09\xf0", sei]).inter(40);
    let (slice, stream) = record(&chunk, &[]);
    assert_eq!(slice.video.unwrap().access_units, 2);
    assert_eq!(slice.repairs.iter().collect::<Vec<_>>(), [(RepairKind::MessageWithoutFrame, 1)]);
    assert_eq!(slice.duration_90khz, 80 * 90);
    let expected = [&[0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1][..], sei, &[0, 0, 0, 1, 0x41, 0x9a, 0x01]].concat();
    assert!(stream.windows(expected.len()).any(|window| window == expected));
}

#[test]
fn a_message_without_a_frame_at_the_end_of_a_chunk_goes_with_the_next_picture() {
    let sei: &[u8] = b"\x06\x05\x01\x77\x80";
    let contains = |stream: &[u8]| stream.windows(5).any(|window| window == sei);
    let (first, stream) = record(&Chunk::with_headers().key(0).avc(40, false, &[sei]), &[]);
    assert_eq!(repairs(&first), [(RepairKind::MessageWithoutFrame, 1)]);
    assert!(!contains(&stream));
    // A chunk of sound alone passes it on.
    let (second, stream) = record(&Chunk::with_headers().aac(40), &first.state);
    assert!(!contains(&stream));
    let (third, stream) = record(&Chunk::with_headers().key(80), &second.state);
    assert!(contains(&stream) && third.repairs == media::Repairs::default());
    let (_, stream) = record(&Chunk::with_headers().key(120), &third.state);
    assert!(!contains(&stream), "it goes out once");
    // With other parameter sets it is of no use, and what is too long is not kept.
    let other = Chunk::new().tag(Video, 0, AVC_180).key(80);
    assert!(!contains(&record(&other, &second.state).1));
    let long = [sei, &[0x55; 2_048]].concat();
    let (slice, _) = record(&Chunk::with_headers().key(0).avc(40, false, &[&long]), &[]);
    let lost = [(RepairKind::MessageWithoutFrame, 1), (RepairKind::LeadingUnitsLost, 1)];
    assert_eq!(repairs(&slice), lost);
    assert!(SessionState::decode(&slice.state).unwrap().leading_units.is_empty());
}

#[test]
fn slices_of_one_picture_in_two_messages_become_one_access_unit() {
    let second = [b"\x65\x08\x81".as_slice()];
    let chunk = Chunk::with_headers().key(0).avc(0, true, &second).inter(40);
    let (slice, stream) = record(&chunk, &[]);
    assert_eq!(repairs(&slice), [(RepairKind::PictureInPieces, 1)]);
    assert_eq!(slice.video.unwrap().access_units, 2);
    let expected = [&[0, 0, 0, 1, 0x65, 0x88, 0x80, 0, 0, 0, 1][..], second[0]].concat();
    assert!(stream.windows(expected.len()).any(|window| window == expected));
}

#[test]
fn a_sequence_header_that_comes_late_holds_for_the_frames_before_it() {
    let chunk = Chunk::new().key(0).aac(0).tag(Video, 30, b"\x17\0\0\0\0").tag(Video, 40, AVC_1080).inter(40);
    let (slice, stream) = record(&chunk.tag(Audio, 41, AAC_44100).aac(41), &[]);
    assert_eq!(repairs(&slice), [(RepairKind::SequenceHeaderMalformed, 1)]);
    let (plain, expected) = record(&Chunk::with_headers().key(0).aac(0).inter(40).aac(41), &[]);
    assert_eq!((slice.video, slice.audio, slice.independent), (plain.video, plain.audio, true));
    assert_eq!(stream, expected);
}

#[test]
fn a_sequence_header_of_another_track_is_none_that_comes_late() {
    // Track 1 of video (avc1) and of audio (mp4a), before the headers of the tracks that are recorded.
    let other_video = [b"\x96\x00avc1\x01", &AVC_1080[5..]].concat();
    let other_audio = b"\x95\x00mp4a\x01\x13\x90";
    let chunk = Chunk::new().key(0).aac(0).tag(Video, 20, &other_video).tag(Audio, 20, other_audio);
    let chunk = chunk.tag(Video, 40, AVC_1080).inter(40).tag(Audio, 41, AAC_44100).aac(41);
    let (slice, stream) = record(&chunk, &[]);
    let (plain, expected) = record(&Chunk::with_headers().key(0).aac(0).inter(40).aac(41), &[]);
    assert_eq!(repairs(&slice), []);
    assert_eq!((slice.video, slice.audio), (plain.video, plain.audio));
    assert_eq!(stream, expected);
}

#[test]
fn frames_whose_sequence_header_comes_in_another_chunk_are_dropped_and_counted() {
    let (slice, _) = record(&Chunk::new().key(0).aac(0).inter(40), &[]);
    assert_eq!(repairs(&slice), [(RepairKind::SequenceHeaderMissing, 3)]);
    assert_eq!(slice.size, 0);
    // In the next chunk it comes late too.
    let chunk = Chunk::new().key(80).aac(80).tag(Video, 100, AVC_1080).tag(Audio, 100, AAC_44100);
    let (slice, _) = record(&chunk, &slice.state);
    assert_eq!((slice.video.unwrap().access_units, slice.audio.unwrap().frames), (1, 1));
}

#[test]
fn a_repeated_sequence_header_changes_nothing() {
    let plain = record(&Chunk::with_headers().key(0).inter(40), &[]);
    let repeated = Chunk::with_headers().key(0).tag(Video, 40, AVC_1080).tag(Audio, 40, AAC_44100).inter(40);
    let (slice, stream) = record(&repeated, &[]);
    assert_eq!(stream, plain.1);
    assert!(!slice.discontinuity && repairs(&slice).is_empty());
}

#[test]
fn other_parameter_sets_are_a_discontinuity_in_the_same_program() {
    let (first, _) = record(&Chunk::with_headers().key(0).aac(0).inter(40), &[]);
    assert!(!first.discontinuity);
    let other = Chunk::new().tag(Video, 80, AVC_180).tag(Audio, 80, AAC_44100).key(80).aac(81);
    let (second, stream) = record(&other, &first.state);
    assert!(second.discontinuity);
    assert_eq!(repairs(&second), [(RepairKind::ConfigurationChanged, 1)]);
    assert_eq!(second.start_90khz, 80 * 90);
    let set = [&[0, 0, 0, 1][..], SPS_180].concat();
    assert!(stream.windows(set.len()).any(|window| window == set));
    assert_eq!(pmt_versions(&stream), [0], "the stream type is the same");
    // And once more the same: no discontinuity.
    let same = Chunk::new().tag(Video, 120, AVC_180).tag(Audio, 120, AAC_44100).key(120).aac(121);
    assert!(!record(&same, &second.state).0.discontinuity);
}

#[test]
fn a_size_that_changes_in_the_keyframes_alone_is_a_discontinuity() {
    let sps_1080 = &AVC_1080[13..13 + 0x1a];
    let idr: &[u8] = b"\x65\x88\x80";
    let width = |slice: &Slice| slice.video.as_ref().unwrap().size.unwrap().width;
    let (first, _) = record(&Chunk::with_headers().avc(0, true, &[sps_1080, idr]), &[]);
    assert_eq!((first.discontinuity, width(&first)), (false, 1920));
    let (second, _) = record(&Chunk::with_headers().avc(40, true, &[SPS_180, idr]), &first.state);
    assert_eq!((second.discontinuity, width(&second)), (true, 320));
    let (third, _) = record(&Chunk::with_headers().avc(80, true, &[SPS_180, idr]), &second.state);
    assert_eq!((third.discontinuity, width(&third)), (false, 320));
}

#[test]
fn parameter_sets_that_change_inside_a_chunk_go_before_their_keyframe() {
    let chunk = Chunk::with_headers().key(0).inter(40).tag(Video, 80, AVC_180).key(80);
    let (slice, stream) = record(&chunk, &[]);
    assert!(slice.discontinuity);
    let set = [&[0, 0, 0, 1][..], SPS_180, &[0, 0, 0, 1, 0x68, 0xce, 0, 0, 0, 1, 0x65]].concat();
    assert_eq!(stream.windows(set.len()).filter(|window| *window == set).count(), 1);
}

#[test]
fn an_audio_rate_that_changes_is_a_discontinuity() {
    let (first, _) = record(&Chunk::new().tag(Audio, 0, AAC_44100).aac(0).aac(23), &[]);
    let (second, _) = record(&Chunk::new().tag(Audio, 0, AAC_48000).aac(46).aac(67), &first.state);
    assert!(second.discontinuity && second.independent);
    assert_eq!(second.audio.unwrap().sample_rate_hz, 48_000);
}

#[test]
fn a_track_gained_later_is_a_new_version_of_the_program() {
    let (first, stream) = record(&Chunk::new().tag(Audio, 0, AAC_44100).aac(0).aac(23), &[]);
    assert_eq!(pmt_versions(&stream), [0]);
    let (second, stream) = record(&Chunk::with_headers().key(46).aac(46).inter(86), &first.state);
    assert!(second.discontinuity);
    assert_eq!(pmt_versions(&stream), [1]);
    // A track that pauses stays listed.
    let (third, stream) = record(&Chunk::new().tag(Audio, 0, AAC_44100).aac(69), &second.state);
    assert!(!third.discontinuity && third.independent);
    assert_eq!(pmt_versions(&stream), [1]);
}

#[test]
fn a_codec_that_changes_inside_a_chunk_gets_its_tables_at_once() {
    let mp3 = b"\x2f\xff\xfb\x90\x64\0\0\0\0";
    let chunk = Chunk::new().tag(Audio, 0, AAC_44100).aac(0).tag(Audio, 23, mp3).tag(Audio, 49, mp3);
    let (slice, stream) = record(&chunk, &[]);
    assert!(slice.discontinuity);
    assert_eq!(pmt_versions(&stream), [0, 1]);
}

/// Versions of the program map table in order, repetitions left out.
#[test]
fn mpeg4_headers_that_come_once_in_the_first_keyframe_are_no_change_later() {
    let layer = b"\0\0\x01\x20\0\xc4\x8d\x88\0\xcd\x0a\x04\x1e\x14\x63";
    let keyframe = [&b"\x19\x01\0\0\0"[..], layer, b"\0\0\x01\xb6\x10"].concat();
    let chunk = |frame: &[u8]| Chunk::new().tag(Video, 0, b"\x19\0\0\0\0").tag(Video, 0, frame);
    let (first, _) = record(&chunk(&keyframe), &[]);
    assert_eq!(first.video.unwrap().size.unwrap().width, 320);
    let (second, _) = record(&chunk(b"\x19\x01\0\0\0\0\0\x01\xb6\x10"), &first.state);
    assert_eq!((second.discontinuity, second.video.unwrap().access_units), (false, 1));
}

#[test]
fn another_mpeg4_profile_is_a_new_version_of_the_program() {
    let chunk = |profile: u8| {
        let layer = b"\0\0\x01\x20\0\xc4\x8d\x88\0\xcd\x0a\x04\x1e\x14\x63";
        let header = [&[0x19, 0, 0, 0, 0, 0, 0, 1, 0xb0, profile][..], layer].concat();
        Chunk::new().tag(Video, 0, &header).tag(Video, 0, b"\x19\x01\0\0\0\0\0\x01\xb6\x10")
    };
    let describes = |stream: &[u8], profile| stream.windows(3).any(|window| window == [0x1b, 1, profile]);
    let (first, stream) = record(&chunk(0x01), &[]);
    assert!(describes(&stream, 0x01) && pmt_versions(&stream) == [0]);
    let (second, stream) = record(&chunk(0xf5), &first.state);
    assert!(describes(&stream, 0xf5) && pmt_versions(&stream) == [1] && second.discontinuity);
}

fn pmt_versions(stream: &[u8]) -> Vec<u8> {
    let tables = stream.chunks(188).filter(|packet| packet[1] & 0x1f == 0x10 && packet[2] == 0);
    let mut versions: Vec<u8> = tables.map(|packet| packet[10] >> 1 & 0x1f).collect();
    versions.dedup();
    versions
}

#[test]
fn codecs_that_cannot_be_recorded_are_left_out_and_told() {
    let chunk = Chunk::new()
        .tag(Audio, 0, AAC_44100)
        .aac(0)
        .tag(Video, 0, b"\x90av01\x81")
        .tag(Video, 0, b"\x91av01\x12\x00")
        .tag(Video, 40, b"\x14\x00\x00");
    let (slice, _) = record(&chunk, &[]);
    assert!(slice.video.is_none() && slice.independent);
    let left_out: Vec<_> =
        slice.left_out.iter().map(|entry| (entry.kind.name(), entry.name.as_str(), entry.messages)).collect();
    assert_eq!(left_out, [("video", "av01", 2), ("video", "vp6", 1)]);

    let speex = Chunk::new().tag(Video, 0, AVC_1080).key(0).tag(Audio, 0, b"\xb6\x01");
    let (slice, _) = record(&speex, &[]);
    assert_eq!((slice.left_out[0].kind.name(), slice.left_out[0].name.as_str()), ("audio", "speex"));
    assert!(slice.video.is_some() && slice.audio.is_none());

    // AAC low delay has no place in ADTS.
    let low_delay = Chunk::new().tag(Audio, 0, b"\xaf\0\xb9\x90").aac(0).aac(10);
    let (slice, _) = record(&low_delay, &[]);
    assert_eq!((slice.size, slice.left_out[0].messages), (0, 2));
}

#[test]
fn a_chunk_cut_inside_a_group_of_pictures_is_not_independent() {
    let (first, _) = record(&Chunk::with_headers().key(0).inter(40), &[]);
    let (second, _) = record(&Chunk::with_headers().inter(80).key(120), &first.state);
    assert!(first.independent && !second.independent);
    assert_eq!(second.start_90khz, 80 * 90);
}

#[test]
fn continuity_goes_on_from_slice_to_slice_and_chunks_give_the_same_bytes_again() {
    let (mut state, mut whole) = (Vec::new(), Vec::new());
    for start in (0..10_000).step_by(200) {
        let chunk = (0..5).fold(Chunk::with_headers().key(start), |chunk, n| {
            chunk.inter(start + n * 40 + 20).aac(start + n * 40)
        });
        let (slice, stream) = record(&chunk, &state);
        assert_eq!(record(&chunk, &state), (slice.clone(), stream.clone()));
        whole.extend(stream);
        state = slice.state;
    }
    let mut last = std::collections::BTreeMap::new();
    for packet in whole.chunks(188) {
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        let counter = packet[3] & 0x0f;
        let step = u8::from(packet[3] & 0x10 != 0);
        if let Some(before) = last.insert(pid, counter) {
            assert_eq!(counter, (before + step) % 16, "PID {pid:#x}");
        }
    }
    assert_eq!(last.len(), 4);
}

#[test]
fn audio_that_lags_behind_the_clock_is_kept_and_counted() {
    let (first, _) = record(&Chunk::with_headers().key(0).aac(0).inter(2_000), &[]);
    let (second, _) = record(&Chunk::with_headers().key(2_040).aac(23).aac(1_100).aac(1_880), &first.state);
    assert_eq!(repairs(&second), [(RepairKind::TrackBehindClock, 2)]);
    assert_eq!(second.audio.unwrap().frames, 3);
}

#[test]
fn script_data_and_empty_messages_are_passed_over() {
    let plain = record(&Chunk::with_headers().key(0).inter(40), &[]);
    let chunk = Chunk::with_headers()
        .tag(Script, 0, b"\x02\0\x0aonMetaData\xff")
        .tag(Audio, 0, b"")
        .key(0)
        .tag(Video, 20, b"")
        .inter(40);
    assert_eq!(record(&chunk, &[]).1, plain.1);
}

#[test]
fn messages_with_wrong_lengths_are_dropped_and_counted() {
    let overrun = [0x27, 1, 0, 0, 0, 0, 0, 0, 9, 0x41];
    let long_aac = [&[0xaf, 1][..], &[0; 8173]].concat();
    let long_mp3 = [&[0x2f, 0xff, 0xfb, 0x90, 0x00][..], &[0; 65_524]].concat();
    let chunk = Chunk::with_headers()
        .key(0)
        .tag(Video, 40, &overrun)
        .tag(Video, 60, b"\x27\x01")
        .tag(Audio, 60, &long_aac)
        .tag(Audio, 70, b"\xaf\x01")
        .tag(Audio, 75, &long_mp3)
        .inter(80);
    let (slice, _) = record(&chunk, &[]);
    assert_eq!(repairs(&slice), [(RepairKind::MessageMalformed, 5)]);
    assert_eq!(slice.video.unwrap().access_units, 2);
}

#[test]
fn more_nal_units_than_a_picture_can_have_are_dropped_and_counted() {
    let many = |count| -> Vec<&[u8]> { vec![b"\x41\x9a"; count] };
    let chunk =
        Chunk::with_headers().key(0).avc(40, false, &many(8_193)).avc(80, false, &many(8_192)).inter(120);
    let (slice, _) = record(&chunk, &[]);
    assert_eq!(repairs(&slice), [(RepairKind::MessageMalformed, 1)]);
    assert_eq!(slice.video.unwrap().access_units, 3);

    // Nor can they come in several messages, be they slices of one picture or what goes before it.
    let next: &[u8] = b"\x41\x1a";
    let sei: &[u8] = b"\x06\x01";
    let chunk = Chunk::with_headers().key(0).avc(40, false, &many(8_192)).avc(40, false, &[next]).inter(80);
    assert_eq!(repairs(&record(&chunk, &[]).0), [(RepairKind::MessageMalformed, 1)]);
    let chunk = Chunk::with_headers().avc(0, false, &vec![sei; 8_192]).avc(0, false, &[sei]).key(40);
    let expected = [(RepairKind::MessageWithoutFrame, 1), (RepairKind::MessageMalformed, 1)];
    assert_eq!(repairs(&record(&chunk, &[]).0), expected);
}

#[test]
fn parameter_sets_go_once_into_a_slice_however_many_keyframes_it_has() {
    let record_of = |size: u16| {
        let sps = [&b"\x67\x42\xc0\x1e"[..], &vec![0xff; usize::from(size) - 4]].concat();
        let size = size.to_be_bytes();
        [&b"\x17\0\0\0\0\x01\x42\xc0\x1e\xff\xe1"[..], &size, &sps, b"\x01\0\x02\x68\xce"].concat()
    };
    let session = |record: &[u8]| {
        let chunk = Chunk::new().tag(Video, 0, record);
        (0..100).fold(chunk, |chunk, n| chunk.key(n * 40))
    };
    let (small, _) = record(&session(&record_of(20)), &[]);
    let (large, stream) = record(&session(&record_of(60_020)), &[]);
    assert!(large.size - small.size < 62_000, "{} and {} bytes", small.size, large.size);
    // The next slice has them again.
    let (next, _) = record(&session(&record_of(60_020)), &large.state);
    assert_eq!(next.size, stream.len() as u64);
}

#[test]
fn a_chunk_that_is_cut_or_too_long_is_refused() {
    let chunk = Chunk::with_headers().key(0).aac(0).0;
    for end in 0..chunk.len() {
        if let Ok((slice, muxer)) = remux(&chunk[..end], &[], &Policy::default()) {
            write(muxer, slice.size);
        }
    }
    assert!(matches!(remux(&chunk[..chunk.len() - 1], &[], &Policy::default()), Err(Error::Flv(_))));
    let policy = Policy { max_bytes: chunk.len() as u64 - 1, ..Policy::default() };
    let error = remux(&chunk, &[], &policy).unwrap_err();
    assert_eq!(error, Error::TooLarge { found: chunk.len() as u64, limit: chunk.len() as u64 - 1 });
}

#[test]
fn a_state_of_others_is_refused() {
    let chunk = Chunk::with_headers().key(0).0;
    for state in [&b"{}"[..], &[0], &[1], &[1; SessionState::SIZE], &[0xff; 5000]] {
        assert!(matches!(remux(&chunk, state, &Policy::default()), Err(Error::State(_))), "{state:.20?}");
    }
}

#[test]
fn a_chunk_without_media_is_an_empty_slice_that_keeps_the_session() {
    let (first, _) = record(&Chunk::with_headers().key(0), &[]);
    let (empty, stream) = record(&Chunk::with_headers(), &first.state);
    assert_eq!((empty.size, stream.len(), empty.independent), (0, 0, false));
    assert_eq!(empty.state, first.state);
}

#[test]
fn pauses_in_a_hostile_chunk_do_not_multiply_its_size_without_bound() {
    let chunk = (0..2_000).fold(Chunk::with_headers().key(0), |chunk, n| chunk.inter(n * 9_999 + 9_999));
    let (slice, stream) = record(&chunk, &[]);
    assert!(stream.len() < 2_000 * 188 * 5, "{} bytes", stream.len());
    assert_eq!(slice.video.unwrap().access_units, 2_001);
}

#[test]
fn a_thousand_hours_of_audio_pass_both_wraps() {
    /// One frame in nine seconds keeps the test short; the clocks wrap at 2^32 ms and at 2^33 ticks.
    const STEP_MS: u32 = 9_000;
    const FRAMES: u32 = 1_000;
    let (mut state, mut start_90khz) = (Vec::new(), 0);
    for n in 0..600_u32 {
        let frames = (0..FRAMES).map(|frame| (n * FRAMES + frame).wrapping_mul(STEP_MS));
        let chunk = frames.fold(Chunk::new().tag(Audio, 0, AAC_44100), Chunk::aac);
        let (slice, stream) = record(&chunk, &state);
        assert_eq!(slice.start_90khz, start_90khz, "chunk {n}");
        let wraps = slice.repairs.of(RepairKind::TimestampWrap);
        assert_eq!(wraps, u32::from(n == 477), "2^32 ms are frame 477 218");
        assert!(!slice.discontinuity && stream.len() < 2_000_000);
        start_90khz += u64::from(FRAMES * STEP_MS) * 90;
        state = slice.state;
    }
    assert!(start_90khz > 1_000 * 3_600 * 90_000);
}
