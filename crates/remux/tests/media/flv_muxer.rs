//! FLV as ffmpeg 5.1 does not write it: HEVC, Enhanced RTMP, 8 kHz MP3, negative composition offsets.

use flv::TagKind;

use crate::packets::{Packet, Source};

/// Writes the packets, their times in the FLV put back into `source`.
pub(crate) fn write(signalling: &str, source: &mut Source) -> Vec<u8> {
    if signalling == "negative" {
        let video = source.video.as_mut().unwrap();
        // Without the encoder's delay, frames are decoded when the first of a reordered group is shown.
        let earliest = video.packets.iter().map(|packet| packet.pts_ms - packet.dts_ms).min().unwrap();
        for packet in &mut video.packets {
            packet.dts_ms += earliest + 80;
        }
    }
    source.begin_at_zero();
    if signalling == "mpeg4-in-band" {
        let video = source.video.as_mut().unwrap();
        for packet in video.packets.iter_mut().filter(|packet| packet.is_key) {
            packet.data.splice(..0, video.extradata.iter().copied());
        }
    }

    let mut tags: Vec<(i64, TagKind, Vec<u8>)> = Vec::new();
    if let Some(video) = &source.video {
        tags.push((0, TagKind::Video, video_header(signalling, &video.extradata)));
        let frame = |packet: &Packet| (packet.dts_ms, TagKind::Video, video_frame(signalling, packet));
        tags.extend(video.packets.iter().map(frame));
    }
    if let Some(audio) = &source.audio {
        let is_aac = audio.codec == "aac";
        if is_aac {
            let head: &[u8] = if signalling == "hvc1-x" { b"\x90mp4a" } else { b"\xaf\x00" };
            let config = if signalling == "he-aac" {
                he_aac_config(&audio.extradata)
            } else {
                audio.extradata.clone()
            };
            tags.push((0, TagKind::Audio, [head, &config].concat()));
        }
        let head: &[u8] = match signalling {
            "hvc1-x" => b"\x91mp4a",
            "mp3-8k" => b"\xe2",
            _ if is_aac => b"\xaf\x01",
            _ => b"\x2f",
        };
        let frame = |packet: &Packet| (packet.dts_ms, TagKind::Audio, [head, &packet.data].concat());
        tags.extend(audio.packets.iter().map(frame));
    }
    tags.sort_by_key(|tag| tag.0);

    let mut file = Vec::new();
    flv::write_header(&mut file, source.audio.is_some(), source.video.is_some());
    for (dts_ms, kind, body) in tags {
        flv::write_tag(&mut file, kind, dts_ms as u32, &body).unwrap();
    }
    file
}

fn video_header(signalling: &str, record: &[u8]) -> Vec<u8> {
    let head: &[u8] = match signalling {
        "hevc-id12" => &[0x1c, 0, 0, 0, 0],
        "hvc1" | "hvc1-x" => b"\x90hvc1",
        "avc1" => b"\x90avc1",
        "negative" => &[0x17, 0, 0, 0, 0],
        "mpeg4" | "mpeg4-lengths" | "mpeg4-in-band" => &[0x19, 0, 0, 0, 0],
        other => panic!("no signalling {other}"),
    };
    if signalling == "mpeg4-in-band" { head.to_vec() } else { [head, record].concat() }
}

fn video_frame(signalling: &str, packet: &Packet) -> Vec<u8> {
    let frame_type = if packet.is_key { 1 } else { 2 };
    let offset_ms = (packet.pts_ms - packet.dts_ms) as i32;
    let [_, c1, c2, c3] = offset_ms.to_be_bytes();
    let enhanced =
        |packet_type: u8, four_cc: &[u8]| [&[0x80 | frame_type << 4 | packet_type], four_cc].concat();
    let head = match signalling {
        "hvc1-x" if offset_ms == 0 => enhanced(3, b"hvc1"),
        "hvc1" | "hvc1-x" => [enhanced(1, b"hvc1"), vec![c1, c2, c3]].concat(),
        "avc1" => [enhanced(1, b"avc1"), vec![c1, c2, c3]].concat(),
        "hevc-id12" => vec![frame_type << 4 | 12, 1, c1, c2, c3],
        "negative" => vec![frame_type << 4 | 7, 1, c1, c2, c3],
        "mpeg4" | "mpeg4-in-band" => vec![frame_type << 4 | 9, 1, c1, c2, c3],
        "mpeg4-lengths" => {
            let head = vec![frame_type << 4 | 9, 1, c1, c2, c3];
            return [head, with_lengths(&packet.data)].concat();
        }
        other => panic!("no signalling {other}"),
    };
    [head.as_slice(), &packet.data].concat()
}

/// Lengths of 4 bytes in place of start codes of 3.
fn with_lengths(frame: &[u8]) -> Vec<u8> {
    let starts: Vec<usize> = (0..frame.len()).filter(|&at| frame[at..].starts_with(&[0, 0, 1])).collect();
    let ends = starts.iter().skip(1).copied().chain([frame.len()]);
    let parts = starts.iter().zip(ends).map(|(&start, end)| &frame[start + 3..end]);
    parts.flat_map(|part| [&(part.len() as u32).to_be_bytes(), part].concat()).collect()
}

/// The configuration of AAC LC at 24 kHz, said to be the core of 48 kHz (14496-3 §1.6.5.2, hierarchical).
///
/// No free encoder here makes spectral band replication; its decoders do without where a frame has none.
fn he_aac_config(low_complexity: &[u8]) -> Vec<u8> {
    let channels = low_complexity[1] >> 3 & 0x0f;
    // Object type 5, index 6, channels, index 3, object type 2, no more: 5 + 4 + 4 + 4 + 5 + 3 bits.
    let bits = 5 << 20 | 6 << 16 | u32::from(channels) << 12 | 3 << 8 | 2 << 3;
    (bits << 7).to_be_bytes().to_vec()
}
