//! Parameter sets and configurations that change while a chunk goes on: each frame is read by those before it.

use flv::TagKind::{Audio, Video};
use media::RepairKind::{ParameterSetsInStream, SequenceHeaderMissing};

use crate::chunk::{
    AAC_44100, AAC_48000, Chunk, avc_header, pictures, pps, record, repairs, slice, sps, units,
};

fn with_sets() -> Chunk {
    Chunk::new().tag(Video, 0, &avc_header(4, &[&sps(0, 8)], &[&pps(0, 0, 0)]))
}

/// The sets of HEVC, a picture that decoding can begin with, and another one.
const HEVC_SETS: [&[u8]; 3] = [
    b"\x40\x01\x0c\x01\xff\xff\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\x95\x98\x09",
    b"\x42\x01\x01\x01\x60\0\0\x03\0\x90\0\0\x03\0\0\x03\0\x3c\xa0\x0a\x08\x0b\x9f\x79\x65\x66\x92\x4c\xaf\x01\x68\x08\0\0\x03\0\x08\0\0\x03\0\xc8\x40",
    b"\x44\x01\xc1\x72\xb4\x62\x40",
];
const HEVC_IDR: &[u8] = b"\x26\x01\xaf\x11";
const HEVC_INTER: &[u8] = b"\x02\x01\xd0\x22";

/// A message of HEVC of these NAL units.
fn hevc(chunk: Chunk, timestamp_ms: u32, units: &[&[u8]]) -> Chunk {
    let length = |unit: &&[u8]| [&(unit.len() as u32).to_be_bytes(), *unit].concat();
    let units: Vec<u8> = units.iter().flat_map(length).collect();
    chunk.tag(Video, timestamp_ms, &[b"\xa3hev1", units.as_slice()].concat())
}

#[test]
fn a_keyframe_without_sets_has_those_before_it_that_other_pictures_brought() {
    let (sps, old, new) = (sps(0, 8), pps(0, 0, 0), pps(0, 0, 7));
    let chunk = with_sets()
        .avc(0, true, &[&slice(0, 0, true)])
        .avc(40, false, &[&new, &slice(0, 1, false)])
        .avc(80, false, &[&slice(0, 2, false)])
        .avc(120, true, &[&slice(0, 3, true)])
        .avc(160, true, &[&slice(0, 4, true)]);
    let (found, stream) = record(&chunk, &[]);
    let expected = [
        vec![sps.clone(), old, slice(0, 0, true)],
        vec![new.clone(), slice(0, 1, false)],
        vec![slice(0, 2, false)],
        vec![sps.clone(), new.clone(), slice(0, 3, true)],
        vec![sps, new, slice(0, 4, true)],
    ];
    assert_eq!(pictures(&stream), expected);
    assert!(repairs(&found).is_empty() && !found.discontinuity);
}

#[test]
fn a_keyframe_that_brings_its_sets_itself_begins_no_other_configuration() {
    let (sps, sei): (&[u8], &[u8]) = (&sps(0, 8), b"\x06\x05\x01\x44\x80");
    for way in 0..4 {
        let (mut chunk, mut expected) = (Chunk::new(), Vec::new());
        for n in 0..4 {
            let pps = pps(0, 0, n);
            // What comes before it in messages of its own.
            let ways: [&[&[u8]]; 4] = [&[sps], &[sps, &pps], &[sps, &pps, &pps], &[sps, sei]];
            for unit in ways[way] {
                chunk = chunk.avc(n * 40, true, &[unit]);
            }
            let slice = slice(0, n, true);
            chunk = chunk.avc(n * 40, true, &[&pps, &slice]);
            let units = ways[way].iter().copied().chain([&pps[..], &slice]);
            expected.push(units.map(<[u8]>::to_vec).collect::<Vec<_>>());
        }
        let (found, stream) = record(&chunk, &[]);
        assert_eq!(pictures(&stream), expected);
        assert_eq!(found.repairs.of(ParameterSetsInStream), 1, "{:02x?}", expected[0]);
    }
}

#[test]
fn a_codec_that_begins_in_the_stream_has_to_bring_its_sets() {
    let (h264_sps, h264_pps, idr) = (sps(0, 8), pps(0, 0, 0), slice(0, 0, true));
    let h264 = || with_sets().avc(0, true, &[&idr]);
    // Without them, the track stays as it is.
    for stray in [&[HEVC_IDR][..], &[HEVC_INTER], &HEVC_SETS[..2], &[HEVC_SETS[0], HEVC_IDR]] {
        let chunk = hevc(h264(), 40, stray).avc(80, false, &[&slice(0, 1, false)]);
        let (found, stream) = record(&chunk, &[]);
        assert_eq!(pictures(&stream)[1..], [vec![slice(0, 1, false)]], "{stray:02x?}");
        assert_eq!(repairs(&found), [(SequenceHeaderMissing, 1)], "{stray:02x?}");
        assert_eq!(found.video.unwrap().codec, "h264");
    }
    // With them, it is the other codec from there on, in the next chunk too.
    let [vps, sps, pps] = HEVC_SETS;
    let chunk = hevc(hevc(h264(), 40, &[vps, sps, pps, HEVC_IDR]), 80, &[HEVC_INTER]);
    let (found, stream) = record(&chunk, &[]);
    let expected: [&[&[u8]]; 3] = [&[&h264_sps, &h264_pps, &idr], &[vps, sps, pps, HEVC_IDR], &[HEVC_INTER]];
    assert_eq!(pictures(&stream), expected);
    assert!(found.discontinuity && found.repairs.of(SequenceHeaderMissing) == 0);
    let (next, _) = record(&hevc(Chunk::new(), 120, &[HEVC_INTER]), &found.state);
    assert_eq!((next.video.unwrap().codec, next.discontinuity), ("hevc", false));
}

#[test]
fn headers_in_the_middle_of_a_chunk_hold_from_there_on() {
    let other = avc_header(4, &[&sps(0, 16)], &[&pps(0, 0, 3)]);
    let rates = |stream: &[u8]| -> Vec<u8> {
        units(stream, Audio).iter().map(|unit| unit.data[2] >> 2 & 0x0f).collect()
    };
    let begin = || with_sets().tag(Audio, 0, AAC_44100).avc(0, true, &[&slice(0, 0, true)]).aac(0);
    let rest = |chunk: Chunk| {
        let chunk = chunk.avc(1_000, false, &[&slice(0, 1, false)]).aac(1_000);
        let chunk = chunk.tag(Video, 2_000, &other).tag(Audio, 2_000, AAC_48000);
        chunk.avc(2_000, true, &[&slice(0, 2, true)]).aac(2_000)
    };
    // In one chunk, and in a second one that begins with frames of the first one's.
    let (found, stream) = record(&rest(begin()), &[]);
    assert_eq!(rates(&stream), [4, 4, 3]);
    assert_eq!(pictures(&stream)[2], [sps(0, 16), pps(0, 0, 3), slice(0, 2, true)]);
    assert!(found.discontinuity && found.video.unwrap().size.unwrap().width == 128);
    let (first, _) = record(&begin(), &[]);
    let (second, stream) = record(&rest(Chunk::new()), &first.state);
    assert_eq!(rates(&stream), [4, 3]);
    let expected =
        [[sps(0, 8), pps(0, 0, 0), slice(0, 1, false)], [sps(0, 16), pps(0, 0, 3), slice(0, 2, true)]];
    assert_eq!(pictures(&stream), expected);
    assert!(second.discontinuity && second.video.unwrap().size.unwrap().width == 128);
    assert_eq!(second.audio.unwrap().sample_rate_hz, 44_100);
}
