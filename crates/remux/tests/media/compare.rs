//! Compares what went in with what came out: NAL by NAL, audio frame by audio frame, time by time.

use crate::{
    packets::{Packet, Stream},
    transport_stream::Pes,
};

/// How the NAL units of a codec are told apart.
struct NalRules {
    /// Delimiters and parameter sets, which containers may add and take away.
    is_of_container: fn(&[u8]) -> bool,
    length_size_at: usize,
}

const H264: NalRules = NalRules { is_of_container: |nal| matches!(nal[0] & 0x1f, 7..=9), length_size_at: 4 };
const HEVC: NalRules =
    NalRules { is_of_container: |nal| matches!(nal[0] >> 1 & 0x3f, 32..=35), length_size_at: 21 };

/// Checks that the video PES packets are the source's packets, shifted by `base` on the 90 kHz clock.
pub(crate) fn video(source: &Stream, pes: &[Pes], base: i64, decoding_shift: i64) {
    assert_eq!(pes.len(), source.packets.len(), "access units");
    for (index, (packet, pes)) in source.packets.iter().zip(pes).enumerate() {
        assert_eq!(pes.pts, base + packet.pts_ms * 90, "presentation time of access unit {index}");
        assert_eq!(
            pes.dts,
            base + packet.dts_ms * 90 - decoding_shift,
            "decoding time of access unit {index}"
        );
        match source.codec.as_str() {
            "h264" => nal_by_nal(&H264, source, packet, pes, index),
            "hevc" => nal_by_nal(&HEVC, source, packet, pes, index),
            "mpeg4" => {
                let before = pes.data.strip_suffix(packet.data.as_slice());
                let before = before.unwrap_or_else(|| panic!("frame {index} differs"));
                // FFmpeg's FLV muxer loses the video object start code, whose value it takes for padding.
                let without_object = source.extradata.windows(4).position(|window| window == [0, 0, 1, 0]);
                let without_object = without_object
                    .map(|at| [&source.extradata[..at], &source.extradata[at + 4..]].concat())
                    .unwrap_or_default();
                let allowed = [&[][..], &source.extradata, &without_object];
                assert!(allowed.contains(&before), "frame {index} follows {before:02x?}");
            }
            other => panic!("no comparison for {other}"),
        }
    }
}

/// Checks that the packets of a file which frames them as its source does are the source's packets, whatever their times.
pub(crate) fn packets(source: &Stream, file: &Stream) {
    assert_eq!(file.packets.len(), source.packets.len(), "packets of {}", source.codec);
    for (index, (expected, found)) in source.packets.iter().zip(&file.packets).enumerate() {
        let rules = match source.codec.as_str() {
            "h264" => &H264,
            "hevc" => &HEVC,
            _ => {
                // Headers of MPEG-4 stand before the first frame of a chunk.
                let before = found.data.strip_suffix(expected.data.as_slice());
                let before = before.unwrap_or_else(|| panic!("packet {index} of {} differs", source.codec));
                assert!(before.is_empty() || source.codec == "mpeg4" && found.is_key, "packet {index}");
                continue;
            }
        };
        let found = split_lengths(&found.data, length_size(rules, file));
        nal_units(rules, source, expected, &found, index);
    }
}

fn length_size(rules: &NalRules, stream: &Stream) -> usize {
    usize::from(stream.extradata[rules.length_size_at] & 3) + 1
}

fn nal_by_nal(rules: &NalRules, source: &Stream, packet: &Packet, pes: &Pes, index: usize) {
    nal_units(rules, source, packet, &split_start_codes(&pes.data), index);
}

fn nal_units(rules: &NalRules, source: &Stream, packet: &Packet, found: &[&[u8]], index: usize) {
    let expected = split_lengths(&packet.data, length_size(rules, source));
    let coded = |units: &[&[u8]]| -> Vec<Vec<u8>> {
        units.iter().filter(|nal| !(rules.is_of_container)(nal)).map(|nal| nal.to_vec()).collect()
    };
    let (expected, mut found) = (coded(&expected), coded(found));
    // An HEVC configuration record may hold SEI, which goes before keyframes with the parameter sets.
    let in_record = |nal: &[u8]| source.extradata.windows(nal.len()).any(|window| window == nal);
    while found.len() > expected.len() && packet.is_key && in_record(&found[0]) {
        found.remove(0);
    }
    assert_eq!(found.len(), expected.len(), "NAL units of access unit {index}");
    for (nal, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(found == expected, "NAL unit {nal} of access unit {index} differs");
    }
}

fn split_lengths(mut sample: &[u8], length_size: usize) -> Vec<&[u8]> {
    let mut units = Vec::new();
    while !sample.is_empty() {
        let (length, rest) = sample.split_at(length_size);
        let length = length.iter().fold(0, |value, &byte| value << 8 | usize::from(byte));
        let (unit, rest) = rest.split_at(length);
        units.push(unit);
        sample = rest;
    }
    units
}

/// NAL units of a byte stream (14496-10 annex B).
fn split_start_codes(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        stream.windows(3).enumerate().filter(|(_, window)| *window == [0, 0, 1]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let units = starts.iter().zip(ends).map(|(&start, end)| {
        let unit = &stream[start + 3..end];
        // The zero_byte of the next start code belongs to no NAL unit.
        if end < stream.len() { unit.strip_suffix(&[0]).unwrap_or(unit) } else { unit }
    });
    units.collect()
}

/// Checks that the audio PES packets are the source's packets, shifted by `base` on the 90 kHz clock.
pub(crate) fn audio(source: &Stream, pes: &[Pes], base: i64, frame_duration: f64) {
    let mut packets = source.packets.iter().enumerate();
    for pes in pes {
        let frames = if source.codec == "aac" { split_adts(&pes.data) } else { vec![&pes.data[..]] };
        let mut rest = pes.data.as_slice();
        let mut frames = frames.into_iter();
        let mut place = 0;
        while !rest.is_empty() {
            let (index, packet) = packets.next().expect("more audio than there was");
            if source.codec == "aac" {
                let frame = frames.next().expect("as many frames as headers");
                // A program config element may go before the frame, which begins with another element.
                let before = frame.strip_suffix(packet.data.as_slice());
                let before = before.unwrap_or_else(|| panic!("audio frame {index} differs"));
                assert!(
                    before.is_empty() || before[0] >> 5 == 5,
                    "audio frame {index} follows {before:02x?}"
                );
                rest = &rest[7 + frame.len()..];
            } else {
                rest = rest
                    .strip_prefix(packet.data.as_slice())
                    .unwrap_or_else(|| panic!("frame {index} differs"));
            }
            let expected = base + packet.pts_ms * 90;
            let found = pes.pts as f64 + f64::from(place) * frame_duration;
            let allowed = if place == 0 { 0.1 } else { 180.0 };
            assert!(
                (found - expected as f64).abs() < allowed,
                "time of audio frame {index}: {found} for {expected}"
            );
            place += 1;
        }
    }
    assert_eq!(packets.next(), None, "less audio than there was");
}

fn split_adts(mut stream: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    for size in adts_sizes(stream) {
        frames.push(&stream[7..size]);
        stream = &stream[size..];
    }
    frames
}

/// Sizes of the frames, their headers included.
pub(crate) fn adts_sizes(mut stream: &[u8]) -> Vec<usize> {
    let mut sizes = Vec::new();
    while !stream.is_empty() {
        assert_eq!((stream[0], stream[1]), (0xff, 0xf1), "ADTS header");
        let size =
            usize::from(stream[3] & 3) << 11 | usize::from(stream[4]) << 3 | usize::from(stream[5] >> 5);
        sizes.push(size);
        stream = &stream[size..];
    }
    sizes
}
