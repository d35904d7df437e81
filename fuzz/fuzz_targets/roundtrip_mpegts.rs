//! The `mpeg2ts` crate reads from the muxer's PES packets the frames that went in.
#![no_main]

use mpeg2ts::{
    pes::{PesPacketReader, ReadPesPacket},
    ts::TsPacketReader,
};
use remux::{Policy, remux};

/// The smallest valid configuration record, of the Baseline profile.
const AVC: &[u8] = b"\x17\0\0\0\0\x01\x42\xc0\x1e\xff\xe1\0\x04\x67\x42\xc0\x1e\x01\0\x02\x68\xce";
/// Its parameter sets in a stream.
const SETS: &[u8] = b"\0\0\0\x01\x67\x42\xc0\x1e\0\0\0\x01\x68\xce";
const AAC: &[u8] = b"\xaf\0\x12\x10";

libfuzzer_sys::fuzz_target!(|frames: Vec<(bool, u16, Vec<u8>)>| {
    let mut chunk = Vec::new();
    flv::write_header(&mut chunk, true, true);
    let mut tag = |kind, timestamp_ms, body: &[u8]| {
        flv::write_tag(&mut chunk, kind, timestamp_ms, body).expect("a fuzz input is short");
    };
    tag(flv::TagKind::Video, 0, AVC);
    tag(flv::TagKind::Audio, 0, AAC);
    let (mut pictures, mut sound) = (Vec::new(), Vec::new());
    let mut stamps = [Vec::new(), Vec::new()];
    let mut time_ms = 0;
    for (is_video, delta_ms, frame) in &frames {
        time_ms += u32::from(delta_ms % 2_000) + 1;
        stamps[usize::from(*is_video)].push(time_ms);
        if *is_video {
            // A slice that begins a picture, and then any bytes.
            let nal = [&[0x41, 0x9a], frame.as_slice()].concat();
            let body = [&[0x27, 1, 0, 0, 0][..], &(nal.len() as u32).to_be_bytes(), &nal].concat();
            tag(flv::TagKind::Video, time_ms, &body);
            // A slice begins with its parameter sets, also without a keyframe.
            let sets = if pictures.is_empty() { SETS } else { &[] };
            pictures.push((time_ms, [&[0, 0, 0, 1, 9, 0xf0][..], sets, &[0, 0, 0, 1], &nal].concat()));
        } else {
            // A channel pair element, and then any bytes: a raw frame, and neither ADTS nor LOAS.
            let frame = [&[0x21], frame.as_slice()].concat();
            tag(flv::TagKind::Audio, time_ms, &[&[0xaf, 1], frame.as_slice()].concat());
            sound.extend_from_slice(&frame);
        }
    }

    let (slice, mut muxer) = remux(&chunk, &[], &Policy::default()).expect("the chunk is well made");
    let mut stream = Vec::with_capacity(slice.size as usize);
    muxer.write(&mut stream);
    assert_eq!(stream.len() as u64, slice.size);

    let mut reader = PesPacketReader::new(TsPacketReader::new(stream.as_slice()));
    let (mut found_pictures, mut found_sound) = (Vec::new(), Vec::new());
    while let Some(packet) = reader.read_pes_packet().expect("mpeg2ts should accept the stream") {
        let time = packet.header.pts.expect("every packet has a time").as_u64();
        if packet.header.stream_id.is_video() {
            found_pictures.push((time, packet.data));
        } else {
            found_sound.push((time, packet.data));
        }
    }
    found_pictures.sort_by_key(|&(time, _)| time);
    found_sound.sort_by_key(|&(time, _)| time);
    assert_eq!(found_pictures.len(), pictures.len());
    for ((_, found), (_, expected)) in found_pictures.iter().zip(&pictures) {
        assert_eq!(found, expected);
    }
    let is_uneven_until = stamps.iter().map(|stamps| uneven_until(stamps)).min().unwrap_or(0);
    for pair in pictures.windows(2).zip(found_pictures.windows(2)).enumerate() {
        let (index, ([(a, _), (b, _)], [(x, _), (y, _)])) = pair else { continue };
        assert!(x < y, "no two pictures have one time");
        // Pauses up to the policy's limit are kept. What follows tells whether the first stamp is right.
        if index > 0 && b - a <= 10_000 && *b < is_uneven_until {
            assert_eq!(u64::from(b - a) * 90, y - x, "from {a} to {b} ms");
        }
    }
    let mut frames = Vec::new();
    for (_, mut data) in found_sound {
        while !data.is_empty() {
            let size = usize::from(data[3] & 3) << 11 | usize::from(data[4]) << 3 | usize::from(data[5] >> 5);
            frames.extend_from_slice(&data[7..size]);
            data.drain(..size);
        }
    }
    assert_eq!(frames, sound);
});

/// The stamp from which on a track may be taken to have a pace: the third that is as far from the one before as others
/// were. What becomes of steps beside a pace is the timeline's policy, which the grid of faults tests.
fn uneven_until(stamps: &[u32]) -> u32 {
    let steps: Vec<u32> = stamps.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let is_alike = |n: usize| steps[n] < 40 || steps[..n].iter().any(|step| step.abs_diff(steps[n]) <= 40);
    (0..steps.len()).filter(|&n| is_alike(n)).nth(2).map_or(u32::MAX, |n| stamps[n + 1])
}
