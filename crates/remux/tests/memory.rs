//! How much memory a chunk can make the core allocate, measured.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use flv::TagKind::{Audio, Video};
use recorder_remux::{Policy, remux, remux_with_samples};

/// The system's allocator, counting.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(NOW.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes allocated at most at once, for each byte of the chunk, while it is remuxed and written.
fn multiple(chunk: &[u8]) -> f64 {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    if let Ok((_, mut muxer)) = remux(chunk, &[], &Policy::default()) {
        let mut block = Vec::with_capacity(188 * 100);
        loop {
            block.clear();
            muxer.write(&mut block);
            if block.is_empty() {
                break;
            }
        }
    }
    (PEAK.load(Relaxed) - before) as f64 / chunk.len() as f64
}

/// The same while its samples are made and written too. Records of up to 256 KiB, as many parameter sets before pictures,
/// and the table are beside what is a multiple.
fn multiple_with_samples(chunk: &[u8]) -> f64 {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    if let Ok((_, muxer, mut samples)) = remux_with_samples(chunk, &[], &Policy::default()) {
        let mut block = Vec::with_capacity(188 * 100);
        loop {
            block.clear();
            samples.write(&muxer, &mut block);
            if block.is_empty() {
                break;
            }
        }
    }
    (PEAK.load(Relaxed) - before).saturating_sub(1 << 20) as f64 / chunk.len() as f64
}

/// Baseline, as small as a record can be, with lengths of four bytes and of one.
const AVC: &[u8] = b"\x17\0\0\0\0\x01\x42\xc0\x1e\xff\xe1\0\x04\x67\x42\xc0\x1e\x01\0\x02\x68\xce";
const AVC_SHORT_LENGTHS: &[u8] =
    b"\x17\0\0\0\0\x01\x42\xc0\x1e\xfc\xe1\0\x04\x67\x42\xc0\x1e\x01\0\x02\x68\xce";

fn chunk(header: (flv::TagKind, &[u8]), message: (flv::TagKind, &[u8]), count: u32) -> Vec<u8> {
    let mut chunk = Vec::new();
    flv::write_header(&mut chunk, true, true);
    flv::write_tag(&mut chunk, header.0, 0, header.1).unwrap();
    for n in 0..count {
        flv::write_tag(&mut chunk, message.0, n, message.1).unwrap();
    }
    chunk
}

/// One test, for the counts are the process's.
#[test]
fn memory_is_a_stated_multiple_of_the_chunk() {
    let smallest_audio = chunk((Audio, b"\xaf\0\x12\x10"), (Audio, b"\xaf\x01\x21"), 200_000);
    let smallest_video = chunk((Video, AVC), (Video, b"\x27\x01\0\0\0\0\0\0\x01\x41"), 200_000);
    let without_frame = chunk((Video, AVC), (Video, b"\x27\x01\0\0\0\0\0\0\x01\x06"), 200_000);
    let one_nal_after_another = [&[0x17, 1, 0, 0, 0][..], &b"\0\0\0\x01\x65".repeat(1 << 20)].concat();
    let many_units = chunk((Video, AVC), (Video, &one_nal_after_another), 1);
    let short_units = [&[0x17, 1, 0, 0, 0][..], &b"\x01\x65".repeat(8_000)].concat();
    let short_units = chunk((Video, AVC_SHORT_LENGTHS), (Video, &short_units), 100);
    let pieces = [&[0x27, 1, 0, 0, 0][..], &b"\x01\x41".repeat(100)].concat();
    let pieces = (0..10_000).fold(chunk((Video, AVC_SHORT_LENGTHS), (Video, &pieces), 1), |mut chunk, _| {
        flv::write_tag(&mut chunk, Video, 0, &pieces).unwrap();
        chunk
    });
    let sets = (0x20..0x23_u8)
        .flat_map(|kind| [&[kind, 0xff, 0xff][..], &[0, 1, kind << 1].repeat(0xffff)].concat());
    let record = [&[0x1c, 0, 0, 0, 0, 1][..], &[0; 21], &[3], &sets.collect::<Vec<_>>()].concat();
    let hevc = chunk((Video, &record), (Video, b"\x1c\x01\0\0\0\x01\x26\x01\x80"), 1_000);
    let mpeg4_parts = [&[0x19, 1, 0, 0, 0][..], &b"\0\0\0\x01\x20".repeat(1 << 20)].concat();
    let mpeg4 = chunk(
        (Video, b"\x19\0\0\0\0\0\0\x01\x20\0\xc4\x8d\x88\0\xcd\x0a\x04\x1e\x14\x63"),
        (Video, &mpeg4_parts),
        1,
    );
    let configurations = (0..20_000_u32).fold(chunk((Video, AVC), (Video, b""), 0), |mut chunk, n| {
        flv::write_tag(&mut chunk, Audio, n, &[0xaf, 0, 0x12, if n % 2 == 0 { 0x10 } else { 0x08 }]).unwrap();
        flv::write_tag(&mut chunk, Audio, n, &[0xaf, 1, 0x21]).unwrap();
        chunk
    });
    let records = (0..32_769_u32).fold(chunk((Video, AVC), (Video, b""), 0), |mut chunk, n| {
        let record =
            if n % 2 == 0 { AVC_SHORT_LENGTHS.to_vec() } else { [AVC_SHORT_LENGTHS, b"\0"].concat() };
        flv::write_tag(&mut chunk, Video, n, &record).unwrap();
        flv::write_tag(&mut chunk, Video, n, b"\x27\x01\0\0\0\x01\x41").unwrap();
        chunk
    });
    let ordinary = chunk(
        (Video, AVC),
        (Video, &[&b"\x27\x01\0\0\0\0\0\x4e\x20\x41\x80"[..], &[7; 19_998]].concat()),
        250,
    );
    let sound = chunk((Audio, b"\xaf\0\x12\x10"), (Audio, &[&[0xaf, 1][..], &[7; 372]].concat()), 10_000);
    for (name, chunk, limit) in [
        ("smallest audio messages", smallest_audio, 8.0),
        ("smallest pictures", smallest_video, 8.0),
        ("messages without a frame", without_frame, 8.0),
        ("as many NAL units as fit", many_units, 8.0),
        ("as many NAL units as fit behind lengths of one byte", short_units, 8.0),
        ("a picture in thousands of messages", pieces, 8.0),
        ("as many HEVC parameter sets as fit", hevc, 8.0),
        ("as many MPEG-4 parts as fit", mpeg4, 8.0),
        ("a new configuration a frame", configurations, 8.0),
        ("a new record a picture", records, 8.0),
        ("ordinary pictures", ordinary, 0.01),
        ("ordinary sound", sound, 0.4),
    ] {
        let multiple = multiple(&chunk);
        assert!(multiple < limit, "{name}: {multiple:.3} bytes for each of {}", chunk.len());
        let multiple = multiple_with_samples(&chunk);
        assert!(multiple < limit, "{name}, samples: {multiple:.3} bytes for each of {}", chunk.len());
    }
}
