//! Small files whose slices are kept: a changed byte shows in review, beside a dump that can be read.
//!
//! With `UPDATE_GOLDEN=1` the kept files are written anew. Runs wherever the crate does, without ffmpeg.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;

use recorder_remux::{Policy, Slice, remux};

/// Remuxes the file twice in one session, the second time 1.2 s later, so that a carried state is kept too.
fn record(flv: &[u8]) -> (Vec<Slice>, Vec<u8>) {
    let mut later = Vec::new();
    flv::write_header(&mut later, true, true);
    for tag in flv::Reader::new(flv).unwrap().map(Result::unwrap) {
        flv::write_tag(&mut later, tag.kind, tag.timestamp_ms + 1_200, tag.body).unwrap();
    }
    let (first, mut muxer) = remux(flv, &[], &Policy::default()).unwrap();
    let mut stream = Vec::with_capacity(1 << 20);
    muxer.write(&mut stream);
    let (second, mut muxer) = remux(&later, &first.state, &Policy::default()).unwrap();
    muxer.write(&mut stream);
    assert_eq!(stream.len() as u64, first.size + second.size);
    (vec![first, second], stream)
}

/// What the slices say of themselves, and a line for each table, clock reference and PES packet.
fn dump(slices: &[Slice], stream: &[u8]) -> String {
    let mut text = String::new();
    for slice in slices {
        let Slice { size, start_90khz, duration_90khz, independent, discontinuity, .. } = slice;
        writeln!(text, "slice of {size} bytes from {start_90khz} for {duration_90khz}").unwrap();
        writeln!(text, "  independent {independent}, discontinuity {discontinuity}").unwrap();
        writeln!(text, "  {:?}\n  {:?}", slice.video, slice.audio).unwrap();
        for (kind, count) in slice.repairs.iter() {
            writeln!(text, "  {} × {count}", kind.name()).unwrap();
        }
        writeln!(text, "  left out {:?}", slice.left_out).unwrap();
    }
    for (index, packet) in stream.chunks(188).enumerate() {
        let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
        let field_size = if packet[3] & 0x20 == 0 { 0 } else { usize::from(packet[4]) + 1 };
        let mut line = String::new();
        if field_size > 1 && packet[5] & 0x40 != 0 {
            line.push_str(" random-access");
        }
        if field_size > 1 && packet[5] & 0x10 != 0 {
            let base =
                u64::from_be_bytes([0, 0, 0, packet[6], packet[7], packet[8], packet[9], packet[10]]) >> 7;
            write!(line, " pcr {base}").unwrap();
        }
        let payload = &packet[4 + field_size..];
        if packet[1] & 0x40 != 0 {
            match pid {
                0 => line.push_str(" pat"),
                0x1000 => {
                    write!(line, " pmt version {} {:02x?}", payload[6] >> 1 & 0x1f, &payload[9..20]).unwrap()
                }
                _ => write!(line, " pes {:02x} {:02x?}", payload[3], &payload[6..24]).unwrap(),
            }
        }
        if !line.is_empty() {
            writeln!(text, "{index:4} {pid:04x} {:x}{line}", packet[3] & 0x0f).unwrap();
        }
    }
    text
}

fn check(name: &str, flv: &[u8], expected: &[u8], expected_dump: &str) {
    let (slices, stream) = record(flv);
    let dump = dump(&slices, &stream);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/corpus/golden");
        std::fs::write(format!("{directory}/{name}.ts"), &stream).unwrap();
        std::fs::write(format!("{directory}/{name}.txt"), &dump).unwrap();
        return;
    }
    assert_eq!(dump, expected_dump, "{name}");
    assert!(stream == expected, "{name}: the bytes differ though the dump does not");
}

macro_rules! golden_tests {
    ($($name:ident)+) => {
        const FILES: &[(&str, &[u8])] = &[
            $((
                stringify!($name),
                include_bytes!(concat!("../../../tests/corpus/golden/", stringify!($name), ".flv")),
            ),)+
        ];

        $(
            #[test]
            fn $name() {
                check(
                    stringify!($name),
                    include_bytes!(concat!("../../../tests/corpus/golden/", stringify!($name), ".flv")),
                    include_bytes!(concat!("../../../tests/corpus/golden/", stringify!($name), ".ts")),
                    include_str!(concat!("../../../tests/corpus/golden/", stringify!($name), ".txt")),
                );
            }
        )+
    };
}

golden_tests! { h264_aac h264_slices he_aac he_aac_v2 hevc_enhanced mpeg4_lengths mp3 }

#[test]
fn a_push_that_breaks_off_after_any_tag_is_recorded_up_to_there() {
    let whole = include_bytes!("../../../tests/corpus/golden/h264_aac.flv");
    let ends: Vec<u64> = flv::Reader::new(whole).unwrap().map(|tag| tag.unwrap().offset).collect();
    let mut last_size = 0;
    for end in ends {
        let (slice, mut muxer) = remux(&whole[..end as usize], &[], &Policy::default()).unwrap();
        let mut stream = Vec::with_capacity(slice.size as usize);
        muxer.write(&mut stream);
        assert_eq!(stream.len() as u64, slice.size);
        assert!(slice.size >= last_size, "a tag more, {last_size} to {} bytes", slice.size);
        last_size = slice.size;
    }
    assert!(last_size > 188 * 10);
}

#[test]
fn every_split_of_every_file_gives_the_same_tags() {
    for (name, file) in FILES {
        let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let mut demuxer = flv::Demuxer::new();
            let mut tags = Vec::new();
            for piece in pieces {
                demuxer.push(piece);
                while let Some(tag) = demuxer.next_tag().unwrap() {
                    tags.push((tag.kind, tag.timestamp_ms, tag.offset, tag.body.to_vec()));
                }
            }
            tags
        };
        let whole: Vec<_> = flv::Reader::new(file)
            .unwrap()
            .map(|tag| tag.map(|tag| (tag.kind, tag.timestamp_ms, tag.offset, tag.body.to_vec())).unwrap())
            .collect();
        assert!(read(&mut file.chunks(1)) == whole, "{name} byte by byte");
        for split in 0..=file.len() {
            let (head, tail) = file.split_at(split);
            assert!(read(&mut [head, tail].into_iter()) == whole, "{name} split at {split}");
        }
    }
}
