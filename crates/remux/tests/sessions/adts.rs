//! AAC that stands behind ADTS headers of its own, or comes in other ways than FLV has it.

use codec::aac::{AdtsHeader, AudioSpecificConfig};
use flv::TagKind::Audio;
use media::RepairKind::{
    AdtsFrameCut, AdtsHeader as AdtsHeaders, ConfigurationFromAdts, SequenceHeaderMissing,
};
use recorder_remux::Slice;

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

/// Records each message in a chunk of its own.
fn record_apart(messages: &[Vec<u8>]) -> (Vec<Slice>, Vec<u8>) {
    let (mut slices, mut whole) = (Vec::<Slice>::new(), Vec::new());
    for (n, payload) in messages.iter().enumerate() {
        let state = slices.last().map_or(&[][..], |slice| &slice.state);
        let (slice, stream) = record(&Chunk::new().tag(Audio, n as u32 * 23, &message(payload)), state);
        whole.extend(stream);
        slices.push(slice);
    }
    (slices, whole)
}

#[test]
fn adts_frames_that_go_on_in_the_next_message_are_put_together() {
    let bytes: Vec<u8> = frames(6).iter().flat_map(|frame| adts(LC_44100, frame)).collect();
    // Headers are cut as well: wherever a message ends, the next brings at least the rest of a header.
    for size in 7..bytes.len() {
        let messages: Vec<Vec<u8>> = bytes.chunks(size).map(<[u8]>::to_vec).collect();
        let mut chunk = Chunk::new();
        for (n, piece) in messages.iter().enumerate() {
            chunk = chunk.tag(Audio, n as u32 * 23, &message(piece));
        }
        let (slice, stream) = record(&chunk, &[]);
        assert_eq!((aac_frames(&stream), slice.repairs.of(AdtsFrameCut)), (frames(6), 0), "{size}");
        let (slices, stream) = record_apart(&messages);
        assert_eq!(aac_frames(&stream), frames(6), "{size} apart");
        assert!(slices.iter().all(|slice| slice.repairs.of(AdtsFrameCut) == 0), "{size} apart");
    }
}

#[test]
fn a_frame_that_goes_on_in_the_next_chunk_keeps_its_time() {
    let pieces = [adts(LC_44100, &frames(6)[0]), adts(LC_44100, &frames(6)[5])];
    let (begin, end) = pieces[1].split_at(20);
    let (slices, stream) = record_apart(&[[&pieces[0], begin].concat(), end.to_vec()]);
    assert_eq!(aac_frames(&stream), [frames(6)[0].clone(), frames(6)[5].clone()]);
    // 1 024 samples at 44.1 kHz: the second frame follows the first, though its end comes later.
    let begins: Vec<u64> = slices.iter().map(|slice| slice.start_90khz).collect();
    assert_eq!((begins, slices[1].duration_90khz), (vec![0, 2_090], 2_090));
    assert!(slices.iter().all(|slice| slice.repairs.of(AdtsFrameCut) == 0));
}

#[test]
fn a_header_in_pieces_that_says_another_configuration_costs_its_frame() {
    let pieces = [adts(LC_44100, &frames(6)[0]), adts(LC_48000, &frames(6)[5])];
    let (begin, end) = pieces[1].split_at(4);
    let (slices, stream) = record_apart(&[[&pieces[0], begin].concat(), [end, &pieces[1]].concat()]);
    assert_eq!(aac_frames(&stream), [frames(6)[0].clone(), frames(6)[5].clone()]);
    assert_eq!((slices[1].repairs.of(AdtsFrameCut), slices[1].repairs.of(ConfigurationFromAdts)), (1, 1));
}

/// Several raw frames behind one header, which ends with a byte for their number.
fn adts_of_several(raw: &[Vec<u8>], has_crc: bool) -> Vec<u8> {
    let count = raw.len();
    // Where the second and later frames begin and a checksum, and a checksum behind each frame.
    let (table, check) = if has_crc { (vec![0xab; 2 * count], &[0xcd; 2][..]) } else { (vec![], &[][..]) };
    let body: Vec<u8> = raw.iter().flat_map(|frame| [frame, check].concat()).collect();
    let mut bytes = adts(LC_44100, &[table, body].concat());
    bytes[1] &= if has_crc { 0xfe } else { 0xff };
    bytes[6] |= count as u8 - 1;
    bytes
}

#[test]
fn several_raw_frames_behind_one_header_are_kept_whole() {
    for has_crc in [false, true] {
        let whole: Vec<Vec<u8>> = frames(6).chunks(3).map(|raw| adts_of_several(raw, has_crc)).collect();
        let single = adts(LC_44100, &frames(6)[0]);
        let chunk = Chunk::new().tag(Audio, 0, &message(&whole[0])).tag(Audio, 70, &message(&single)).tag(
            Audio,
            93,
            &message(&whole[1]),
        );
        let (slice, stream) = record(&chunk, &[]);
        let found: Vec<u8> = units(&stream, Audio).into_iter().flat_map(|unit| unit.data).collect();
        assert_eq!(found, [&whole[0][..], &single, &whole[1]].concat());
        assert_eq!(repairs(&slice), [(AdtsHeaders, 3), (ConfigurationFromAdts, 1)]);
        // Three frames of 1 024 samples, one, and three.
        assert_eq!((slice.discontinuity, slice.duration_90khz), (false, 93 * 90 + 3 * 2_090 - 1));
        // And across two chunks.
        let (begin, end) = whole[1].split_at(15);
        let (slices, stream) = record_apart(&[[&whole[0], begin].concat(), end.to_vec()]);
        let found: Vec<u8> = units(&stream, Audio).into_iter().flat_map(|unit| unit.data).collect();
        assert_eq!(found, whole.concat());
        assert!(!slices[1].discontinuity && slices[1].start_90khz.abs_diff(3 * 2_090) <= 1);
    }
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
    // At the end of a chunk: the next one tells.
    let bytes = adts(LC_44100, &all[5]);
    let (slices, stream) = record_apart(&[bytes.clone(), bytes[..20].to_vec(), bytes]);
    let cut: Vec<u32> = slices.iter().map(|slice| slice.repairs.of(AdtsFrameCut)).collect();
    assert_eq!((aac_frames(&stream).len(), cut), (2, vec![0, 0, 1]));
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
