//! Whatever part of a file is written, it is that part of the whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::Range;

use record_files::{Container, Error, Writer, chunks};
use remux::{Policy, remux_with_samples};

const CHUNK: &[u8] = include_bytes!("../../../tests/corpus/golden/h264_aac.flv");

/// The tables of three chunks, and their media.
fn recorded() -> (Vec<Vec<u8>>, Vec<u8>) {
    let (mut state, mut tables, mut media) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        let (slice, muxer, mut samples) = remux_with_samples(CHUNK, &state, &Policy::default()).unwrap();
        let mut bytes = Vec::with_capacity(samples.size() as usize);
        samples.write(&muxer, &mut bytes);
        media.extend(bytes);
        tables.push(samples.table().to_vec());
        state = slice.state;
    }
    (tables, media)
}

fn write(container: Container, tables: &[Vec<u8>], media: &[u8], bytes: Range<u64>) -> Vec<u8> {
    let chunks = chunks(tables.iter().map(|table| (&table[..], None))).unwrap();
    let mut writer = Writer::part(container, 1_767_323_045, &chunks, bytes).unwrap();
    let mut media = &media[writer.media_first() as usize..];
    let mut file = Vec::new();
    while let Some(piece) = writer.head() {
        file.extend(piece);
    }
    while let Some(needed) = writer.needed() {
        let (next, rest) = media.split_at(needed as usize);
        file.extend(writer.take(next.to_vec()).unwrap());
        media = rest;
    }
    file
}

#[test]
fn every_part_is_that_of_the_whole() {
    let (tables, media) = recorded();
    for container in [Container::Mp4, Container::Flv] {
        let whole = write(container, &tables, &media, 0..u64::MAX);
        let chunks = chunks(tables.iter().map(|table| (&table[..], None))).unwrap();
        let size = Writer::new(container, 1_767_323_045, &chunks).unwrap().file().size;
        assert_eq!(whole.len() as u64, size);
        let last = size - 1;
        for first in (0..64).chain((64..size).step_by(997)).chain([last, size]) {
            for length in [1, 1_000, size] {
                let end = size.min(first + length);
                let part = write(container, &tables, &media, first..first + length);
                assert!(part == whole[first as usize..end as usize], "{container:?} {first}..{end}");
            }
        }
    }
}

#[test]
fn a_part_may_begin_with_any_tag_of_an_flv_file() {
    let (tables, media) = recorded();
    let whole = write(Container::Flv, &tables, &media, 0..u64::MAX);
    // Header and the size of no tag before the first one; each tag has its size in front and behind.
    let (mut at, mut tags) = (13, 0);
    while at < whole.len() {
        assert!(write(Container::Flv, &tables, &media, at as u64..u64::MAX) == whole[at..], "from {at}");
        at += 15 + u32::from_be_bytes([0, whole[at + 1], whole[at + 2], whole[at + 3]]) as usize;
        tags += 1;
    }
    assert!(at == whole.len() && tags > 50, "{tags} tags up to {at} of {}", whole.len());
}

#[test]
fn what_is_no_table_is_named_by_its_chunk() {
    let (tables, _) = recorded();
    let refused = chunks([(&tables[0][..], None), (&b"no table"[..], Some(1))]).unwrap_err();
    assert!(matches!(refused, Error::Table { chunk: 1, .. }), "{refused}");
    assert!(matches!(Writer::new(Container::Mp4, 0, &[]), Err(Error::Empty)));
}
