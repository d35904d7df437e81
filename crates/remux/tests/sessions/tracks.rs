//! Tracks and messages that are not recorded: what is recorded beside them stays as it is.

use flv::TagKind::{Audio, Script, Video};
use media::RepairKind;

use crate::chunk::{AAC_44100, AAC_48000, AVC_180, AVC_1080, Chunk, record, repairs};

/// A message of one track of several, by its packet type and number.
fn in_track(head: u8, packet_type: u8, four_cc: &[u8], track: u8, payload: &[u8]) -> Vec<u8> {
    [&[head, packet_type], four_cc, &[track], payload].concat()
}

#[test]
fn of_several_tracks_the_first_is_recorded_and_the_others_are_told() {
    let (plain, expected) = record(&Chunk::with_headers().key(0).aac(0).inter(40).aac(23), &[]);
    let chunk = |track: u8| {
        Chunk::with_headers()
            .tag(Video, 0, &in_track(0x96, 0, b"avc1", track, &AVC_180[5..]))
            .tag(Audio, 0, &in_track(0x95, 0, b"mp4a", track, &AAC_48000[2..]))
            .key(0)
            .aac(0)
            .tag(Video, 0, &in_track(0x96, 1, b"avc1", track, b"\0\0\0\0\0\0\x03\x65\x88\x81"))
            .tag(Audio, 0, &in_track(0x95, 1, b"mp4a", track, &[0x21, 0x11, 0x05]))
            .inter(40)
            .aac(23)
    };
    for track in [1, 255] {
        let (slice, stream) = record(&chunk(track), &[]);
        assert!(stream == expected && repairs(&slice).is_empty(), "track {track}");
        assert_eq!((slice.video, slice.audio), (plain.video.clone(), plain.audio.clone()));
        let left_out = slice.left_out.iter().map(|entry| (entry.kind, &*entry.name, entry.messages));
        assert_eq!(left_out.collect::<Vec<_>>(), [(Video, "h264", 2), (Audio, "aac", 2)]);
    }
    let (slice, _) = record(&chunk(0), &[]);
    assert!(slice.left_out.is_empty() && slice.audio.unwrap().frames == 3);
}

#[test]
fn messages_without_media_of_a_codec_that_is_not_recorded_are_not_told() {
    let chunk = Chunk::with_headers().key(0);
    // The end of a sequence, metadata, a command, and packet types without a meaning.
    let silent = [&b"\x92av01"[..], b"\x94av01\x02\0\x09colorInfo\x05", b"\xd0\x01", b"\x98av01"];
    let chunk = silent.iter().fold(chunk, |chunk, body| chunk.tag(Video, 10, body));
    let (slice, _) = record(&chunk, &[]);
    assert!(slice.left_out.is_empty() && repairs(&slice).is_empty(), "{:?}", slice.left_out);
}

#[test]
fn what_is_left_out_past_so_many_names_counts_with_the_last_of_its_kind() {
    let script = |name: &str| [&[2, 0, name.len() as u8], name.as_bytes(), &[5]].concat();
    let names = ["a", "b", "c", "d", "e", "f"];
    let mut chunk = Chunk::new().tag(Video, 0, b"\x91av01\x12").tag(Audio, 0, b"\xb6\x01");
    for name in names.iter().chain(&["g", "a", "h"]) {
        chunk = chunk.tag(Script, 0, &script(name));
    }
    let chunk =
        chunk.tag(Video, 0, b"\x91vp09\x12").tag(Audio, 0, b"\x91Opus\x12").tag(Audio, 0, b"\xb6\x01");
    let (slice, _) = record(&chunk, &[]);
    let left_out: Vec<_> =
        slice.left_out.iter().map(|entry| (entry.kind, &*entry.name, entry.messages)).collect();
    let expected = [
        (Video, "av01", 2),
        (Audio, "speex", 3),
        (Script, "a", 2),
        (Script, "b", 1),
        (Script, "c", 1),
        (Script, "d", 1),
        (Script, "e", 1),
        (Script, "f", 3),
    ];
    assert_eq!(left_out, expected);
}

#[test]
fn messages_without_media_and_other_tracks_say_nothing_of_the_times() {
    // Stamps of zero in the middle of a push, as gateways give headers that they repeat.
    let (avc, aac) = (AVC_1080, AAC_44100);
    let frame = b"\0\0\0\0\0\0\x03\x65\x88\x81";
    let strays: [(flv::TagKind, Vec<u8>); 8] = [
        (Video, avc.to_vec()),
        (Video, b"\x17\x02\0\0\0".to_vec()),
        (Video, in_track(0xa6, 1, b"avc1", 1, frame)),
        (Video, b"\xa1av01\x12\x00".to_vec()),
        (Audio, aac.to_vec()),
        (Audio, aac[..3].to_vec()),
        (Audio, in_track(0x95, 1, b"mp4a", 1, &[0x21, 0x11, 0x05])),
        (Audio, b"\x91Opus\x12".to_vec()),
    ];
    // Tracks that step ahead by four seconds at once, or one of them alone for one stamp.
    let steps: [fn(u32, bool) -> u32; 4] = [
        |n, _| if n >= 20 { 4_000 } else { 0 },
        |n, is_video| if n == 20 && is_video { 4_000 } else { 0 },
        |n, is_video| if n == 20 && !is_video { 4_000 } else { 0 },
        |n, _| if n >= 20 { 20_000 } else { 0 },
    ];
    let tracks = [(true, true), (true, false), (false, true)];
    for step in steps {
        for (has_video, has_audio) in tracks {
            let push = |stray: Option<&(flv::TagKind, Vec<u8>)>| {
                let mut chunk = Chunk::new();
                if has_video {
                    chunk = chunk.tag(Video, 0, avc);
                }
                if has_audio {
                    chunk = chunk.tag(Audio, 0, aac);
                }
                for n in 0..40 {
                    let (video, audio) = (1_000 + n * 40 + step(n, true), 1_000 + n * 40 + step(n, false));
                    if has_video {
                        chunk = if n == 0 { chunk.key(video) } else { chunk.inter(video) };
                    }
                    if has_audio {
                        chunk = chunk.aac(audio);
                    }
                    // Behind the stamps that step, and among those that follow.
                    if let Some((kind, body)) = stray.filter(|_| n == 20 || n == 21) {
                        chunk = chunk.tag(*kind, 0, body);
                    }
                }
                record(&chunk, &[])
            };
            let (plain, expected) = push(None);
            for stray in &strays {
                if (stray.0 == Video && !has_video) || (stray.0 == Audio && !has_audio) {
                    continue;
                }
                let (slice, stream) = push(Some(stray));
                let counted = |slice: &recorder_remux::Slice| {
                    let others = repairs(slice).into_iter();
                    let others = others.filter(|(kind, _)| *kind != RepairKind::SequenceHeaderMalformed);
                    others.collect::<Vec<_>>()
                };
                assert_eq!(counted(&slice), counted(&plain), "{stray:02x?}");
                assert!(
                    stream == expected,
                    "{stray:02x?}, {:?} and {:?}",
                    slice.duration_90khz,
                    plain.duration_90khz
                );
            }
        }
    }
}
