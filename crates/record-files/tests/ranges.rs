//! Whatever part of a file is written, it is that part of the whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::Range;

use record_files::{Chunk, Container, Error, RecordFile};
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

fn lay_out(container: Container, tables: &[Vec<u8>]) -> RecordFile {
    let chunks = tables.iter().map(|table| Chunk { table: table.clone(), gap_ms: None });
    RecordFile::lay_out(container, 1_767_323_045, chunks.collect()).unwrap()
}

/// Some of a file, of just the media that is needed for it.
fn write(file: &RecordFile, media: &[u8], bytes: Range<u64>) -> Vec<u8> {
    let needed = file.media(bytes.clone());
    let mut media = &media[needed.start as usize..media.len().min(needed.end as usize)];
    let mut writer = file.writer(bytes);
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
        let file = lay_out(container, &tables);
        let (whole, size) = (write(&file, &media, 0..u64::MAX), file.file().size);
        assert_eq!(whole.len() as u64, size);
        let last = size - 1;
        for first in (0..64).chain((64..size).step_by(997)).chain([last, size]) {
            for length in [1, 1_000, size] {
                let end = size.min(first + length);
                let part = write(&file, &media, first..first + length);
                assert!(part == whole[first as usize..end as usize], "{container:?} {first}..{end}");
            }
        }
    }
}

#[test]
fn a_part_may_begin_with_any_tag_of_an_flv_file() {
    let (tables, media) = recorded();
    let file = lay_out(Container::Flv, &tables);
    let whole = write(&file, &media, 0..u64::MAX);
    // Header and the size of no tag before the first one; each tag has its size in front and behind.
    let (mut at, mut tags) = (13, 0);
    while at < whole.len() {
        assert!(write(&file, &media, at as u64..u64::MAX) == whole[at..], "from {at}");
        at += 15 + u32::from_be_bytes([0, whole[at + 1], whole[at + 2], whole[at + 3]]) as usize;
        tags += 1;
    }
    assert!(at == whole.len() && tags > 50, "{tags} tags up to {at} of {}", whole.len());
}

#[test]
fn little_more_media_is_needed_than_is_written() {
    let (tables, media) = recorded();
    let sizes: Vec<u64> =
        tables.iter().map(|table| sample_table::SampleTable::parse(table).unwrap().media_size()).collect();
    assert_eq!(sizes.iter().sum::<u64>(), media.len() as u64);
    let (mp4, flv) = (lay_out(Container::Mp4, &tables), lay_out(Container::Flv, &tables));
    let (last, size) = (*sizes.last().unwrap(), mp4.file().size);
    let media = media.len() as u64;
    assert_eq!(mp4.media(size - last..size), media - last..media);
    assert_eq!((mp4.media(0..1).end, flv.media(0..1)), (0, 0..0));
    // FLV is written chunk by chunk.
    let size = flv.file().size;
    assert_eq!(flv.media(0..size / 6), 0..sizes[0]);
    assert_eq!(flv.media(0..size / 2), 0..sizes[0] + sizes[1]);
    assert_eq!(flv.media(size - 1..size).end, media);
    assert!(flv.media(size - 1..size).start >= media - last);
}

#[test]
fn what_is_no_table_is_named_by_its_chunk() {
    let (tables, _) = recorded();
    for container in [Container::Mp4, Container::Flv] {
        let (first, second) = (tables[0].clone(), b"no table".to_vec());
        let chunks = [(first, None), (second, Some(1))].map(|(table, gap_ms)| Chunk { table, gap_ms });
        let refused = RecordFile::lay_out(container, 0, chunks.into()).unwrap_err();
        assert!(matches!(refused, Error::Table { chunk: 1, .. }), "{refused}");
        assert!(matches!(RecordFile::lay_out(container, 0, vec![]), Err(Error::Empty)));
    }
}
