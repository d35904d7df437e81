//! AAC that stands behind ADTS headers of its own, or comes in other ways than FLV has it.

use codec::aac::{AdtsHeader, AudioSpecificConfig};
use flv::TagKind::Audio;
use media::RepairKind::{
    AdtsFrameCut, AdtsHeader as AdtsHeaders, ConfigurationFromAdts, SequenceHeaderMissing,
};

use crate::chunk::{AAC_44100, AAC_48000, Chunk, aac_frames, record, repairs, units};

/// Raw frames of different sizes, as an encoder makes them: stereo, the first element is a channel pair.
fn frames(count: u8) -> Vec<Vec<u8>> {
    (0..count).map(|n| [&[0x21, n, 0x04][..], &vec![0x60 + n; usize::from(n) * 7]].concat()).collect()
}

fn adts(record: &[u8], frame: &[u8]) -> Vec<u8> {
    let config = AudioSpecificConfig::parse(record).unwrap();
    let mut config = config;
    config.program_config = None;
    [AdtsHeader::new(&config, frame.len()).unwrap().as_bytes(), frame].concat()
}

/// With a checksum, which nobody checks.
fn adts_with_crc(record: &[u8], frame: &[u8]) -> Vec<u8> {
    let longer = [&[0, 0][..], frame].concat();
    let mut bytes = adts(record, &longer);
    bytes[1] &= 0xfe;
    (bytes[7], bytes[8]) = (0xab, 0xcd);
    bytes
}

fn message(payload: &[u8]) -> Vec<u8> {
    [&[0xaf, 1], payload].concat()
}

const LC_44100: &[u8] = &[0x12, 0x10];
const LC_48000: &[u8] = &[0x11, 0x90];

#[track_caller]
fn check(chunk: &Chunk, rate_hz: u32, expected: &[(media::RepairKind, u32)]) {
    let (slice, stream) = record(chunk, &[]);
    assert_eq!(aac_frames(&stream), frames(6));
    assert_eq!(repairs(&slice), expected);
    let audio = slice.audio.unwrap();
    assert_eq!((audio.sample_rate_hz, audio.channels, audio.frames), (rate_hz, Some(2), 6));
    assert!(slice.independent && !slice.discontinuity);
}

#[test]
fn adts_headers_in_messages_with_a_configuration_and_without() {
    for make in [adts, adts_with_crc] {
        for (header, from_adts) in [(Some(AAC_44100), 0), (None, 1), (Some(AAC_48000), 1)] {
            let mut chunk = Chunk::new();
            if let Some(header) = header {
                chunk = chunk.tag(Audio, 0, header);
            }
            for (n, frame) in frames(6).iter().enumerate() {
                chunk = chunk.tag(Audio, n as u32 * 23, &message(&make(LC_44100, frame)));
            }
            let expected: Vec<_> = [(AdtsHeaders, 6), (ConfigurationFromAdts, from_adts)]
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .collect();
            check(&chunk, 44_100, &expected);
        }
    }
}

#[test]
fn an_adts_header_in_place_of_the_configuration() {
    let header = [&[0xaf, 0], &adts(LC_48000, &[])[..]].concat();
    let mut chunk = Chunk::new().tag(Audio, 0, &header);
    for (n, frame) in frames(6).iter().enumerate() {
        chunk = chunk.tag(Audio, n as u32 * 21, &message(frame));
    }
    check(&chunk, 48_000, &[]);
}

#[test]
fn several_adts_frames_in_one_message_follow_each_other() {
    let mut chunk = Chunk::new().tag(Audio, 0, AAC_48000);
    for (n, frames) in frames(6).chunks(3).enumerate() {
        let payload: Vec<u8> = frames.iter().flat_map(|frame| adts(LC_48000, frame)).collect();
        chunk = chunk.tag(Audio, n as u32 * 64, &message(&payload));
    }
    let (slice, stream) = record(&chunk, &[]);
    assert_eq!(aac_frames(&stream), frames(6));
    assert_eq!(slice.repairs.of(AdtsHeaders), 2);
    // 1 024 samples at 48 kHz each: 1 920 ticks.
    assert_eq!((slice.start_90khz, slice.duration_90khz), (0, 6 * 1_920));
}

#[test]
fn adts_frames_that_go_on_in_the_next_message_are_put_together() {
    let bytes: Vec<u8> = frames(6).iter().flat_map(|frame| adts(LC_44100, frame)).collect();
    for size in [20, 37, bytes.len() - 1] {
        let mut chunk = Chunk::new();
        for (n, piece) in bytes.chunks(size).enumerate() {
            chunk = chunk.tag(Audio, n as u32 * 23, &message(piece));
        }
        let (_, stream) = record(&chunk, &[]);
        let found = aac_frames(&stream);
        // A header that is itself in two messages is not found, and its frame is lost.
        assert!(
            frames(6).iter().filter(|frame| found.contains(frame)).count() >= 4,
            "{size}: {} frames",
            found.len()
        );
    }
    // Cut where no header is.
    let (first, second) = (adts(LC_44100, &frames(6)[4]), adts(LC_44100, &frames(6)[5]));
    let pieces = [&first[..12], &[&first[12..], &second[..20]].concat(), &second[20..]];
    let chunk = pieces.iter().fold(Chunk::new(), |chunk, piece| chunk.tag(Audio, 0, &message(piece)));
    let (slice, stream) = record(&chunk, &[]);
    assert_eq!(aac_frames(&stream), frames(6)[4..]);
    assert_eq!(slice.repairs.of(AdtsFrameCut), 0);
}

#[test]
fn an_adts_frame_that_is_cut_costs_itself_alone() {
    let all = frames(6);
    for cut in [3, 10] {
        let mut chunk = Chunk::new().tag(Audio, 0, AAC_44100);
        for (n, frame) in all.iter().enumerate() {
            let bytes = adts(LC_44100, frame);
            let end = if n == 3 { cut } else { bytes.len() };
            chunk = chunk.tag(Audio, n as u32 * 23, &message(&bytes[..end]));
        }
        let (slice, stream) = record(&chunk, &[]);
        let found = aac_frames(&stream);
        let others: Vec<_> =
            all.iter().enumerate().filter(|(n, _)| *n != 3).map(|(_, frame)| frame.clone()).collect();
        if cut == 10 {
            assert_eq!(found, others);
            assert_eq!(slice.repairs.of(AdtsFrameCut), 1);
        } else {
            // Three bytes tell nothing: they are taken for a frame.
            assert!(others.iter().all(|frame| found.contains(frame)));
        }
    }
    // At the end of a chunk.
    let bytes = adts(LC_44100, &all[5]);
    let chunk = Chunk::new().tag(Audio, 0, &message(&bytes)).tag(Audio, 23, &message(&bytes[..20]));
    let (slice, stream) = record(&chunk, &[]);
    assert_eq!((aac_frames(&stream).len(), slice.repairs.of(AdtsFrameCut)), (1, 1));
}

#[test]
fn a_configuration_from_adts_holds_across_chunks() {
    let frame = |n: usize| message(&adts(LC_48000, &frames(6)[n]));
    let (first, _) = record(&Chunk::new().tag(Audio, 0, &frame(0)).tag(Audio, 21, &frame(1)), &[]);
    let (second, stream) = record(&Chunk::new().tag(Audio, 43, &frame(2)), &first.state);
    assert_eq!((aac_frames(&stream), repairs(&second)), (vec![frames(6)[2].clone()], vec![(AdtsHeaders, 1)]));
    // Raw frames that follow are of the same configuration.
    let (third, stream) = record(&Chunk::new().tag(Audio, 64, &message(&frames(6)[3])), &second.state);
    assert_eq!((aac_frames(&stream), repairs(&third)), (vec![frames(6)[3].clone()], vec![]));
    assert!(!second.discontinuity && !third.discontinuity);
}

#[test]
fn a_sequence_header_that_says_more_than_adts_stays_in_use() {
    // SBR over a core of 24 kHz, which ADTS does not name.
    let he_aac: &[u8] = b"\xaf\0\x2b\x11\x88\x00";
    let core = [0x13, 0x10];
    let chunk = Chunk::new().tag(Audio, 0, he_aac).tag(Audio, 0, &message(&adts(&core, &frames(6)[1])));
    let (slice, _) = record(&chunk, &[]);
    assert_eq!(slice.audio.as_ref().unwrap().sample_rate_hz, 48_000);
    assert_eq!(repairs(&slice), [(AdtsHeaders, 1)]);
}

#[test]
fn channels_that_the_frame_itself_tells_are_not_told_twice() {
    // A channel configuration of 0: the raw frame begins with a program config element (5 in three bits).
    let frame = [0xa1, 0x22, 0x33, 0x44];
    let mut bytes = adts(LC_44100, &frame);
    (bytes[2], bytes[3]) = (bytes[2] & 0xfe, bytes[3] & 0x3f);
    let (slice, stream) = record(&Chunk::new().tag(Audio, 0, &message(&bytes)), &[]);
    assert_eq!(units(&stream, Audio)[0].data[7..], frame);
    assert_eq!(slice.audio.unwrap().channels, None);
}

#[test]
fn loas_is_told_as_left_out() {
    let loas = [&[0x56, 0xe0, 0x05][..], &[1, 2, 3, 4, 5]].concat();
    for chunk in [Chunk::new(), Chunk::new().tag(Audio, 0, AAC_44100)] {
        let (slice, _) = record(&chunk.tag(Audio, 0, &message(&loas)).tag(Audio, 23, &message(&loas)), &[]);
        let left_out: Vec<_> = slice.left_out.iter().map(|entry| (&*entry.name, entry.messages)).collect();
        assert_eq!((left_out, slice.size), (vec![("aac-loas", 2)], 0));
        assert!(repairs(&slice).is_empty());
    }
}

#[test]
fn raw_frames_without_any_configuration_are_dropped_and_counted() {
    let (slice, _) = record(&Chunk::new().aac(0).aac(23), &[]);
    assert_eq!((repairs(&slice), slice.size), (vec![(SequenceHeaderMissing, 2)], 0));
}

#[test]
fn the_bits_of_the_tag_say_nothing_of_mp3() {
    // The frame says 44.1 kHz and stereo; the tag says all that it can.
    let frame = b"\xff\xfb\x90\x64\x11\x22\x33";
    let (plain, stream) = record(&Chunk::new().tag(Audio, 0, &[b"\x2f", &frame[..]].concat()), &[]);
    for bits in 0x20..=0x2f_u8 {
        let (slice, found) = record(&Chunk::new().tag(Audio, 0, &[&[bits], &frame[..]].concat()), &[]);
        assert_eq!((slice.audio, found), (plain.audio.clone(), stream.clone()), "{bits:02x}");
    }
    for head in [&b"\xe2"[..], b"\x91.mp3"] {
        assert_eq!(record(&Chunk::new().tag(Audio, 0, &[head, &frame[..]].concat()), &[]).1, stream);
    }
}

#[test]
fn aac_of_enhanced_rtmp_is_read_the_same() {
    let raw = frames(6);
    let mut chunk = Chunk::new().tag(Audio, 0, b"\x90mp4a\x12\x10");
    for (n, frame) in raw.iter().enumerate() {
        chunk = chunk.tag(Audio, n as u32 * 23, &[b"\x91mp4a", &frame[..]].concat());
    }
    check(&chunk, 44_100, &[]);
    let mut chunk = Chunk::new();
    for (n, frame) in raw.iter().enumerate() {
        chunk = chunk.tag(Audio, n as u32 * 23, &[b"\x91mp4a", &adts(LC_44100, frame)[..]].concat());
    }
    check(&chunk, 44_100, &[(AdtsHeaders, 6), (ConfigurationFromAdts, 1)]);
}
