//! Any tables give an MP4 index whose samples lie where the tables say, and an FLV file of exactly the size that was told.
#![no_main]

use flv::record_file::RecordPlan;
use mp4::{Follows, IndexBuilder, Policy, verify::Movie};
use sample_table::SampleTable;

/// Media of more bytes is not made.
const MAX_MEDIA_SIZE: u64 = 1 << 20;

// The input is a byte that says how the second table follows the first, the size of the first, then both.
libfuzzer_sys::fuzz_target!(|input: (u8, u16, &[u8])| {
    let (how, split, bytes) = input;
    let (first, second) = bytes.split_at(usize::from(split).min(bytes.len()));
    let Ok(first) = SampleTable::parse(first) else { return };
    let second = SampleTable::parse(second);
    let follows = match how & 3 {
        0 => Follows::Directly,
        1 => Follows::AfterGap { gap_90khz: 0 },
        _ => Follows::AfterGap { gap_90khz: u64::from(how) << (how & 0x3f) },
    };
    let chunks: Vec<_> = std::iter::once((&first, Follows::Directly))
        .chain(second.as_ref().ok().map(|table| (table, follows)))
        .collect();

    let mut builder = IndexBuilder::new(Policy::default());
    chunks.iter().for_each(|(table, follows)| builder.add(table, *follows));
    let media_size: u64 = chunks.iter().map(|(table, _)| table.media_size()).sum();
    if let Ok(index) = builder.finish() {
        let (offset, size, left_out) = (index.media_offset(), index.file_size(), index.left_out());
        let bytes: Vec<u8> = index.pieces().flatten().copied().collect();
        assert_eq!((bytes.len() as u64, size), (offset, offset + media_size));
        let movie = Movie::read(&bytes).expect("an index should be read");
        let samples = movie.tracks.iter().flat_map(|track| &track.samples);
        let expected =
            chunks.iter().flat_map(|(table, _)| table.runs()).map(|run| u64::from(run.count)).sum::<u64>();
        assert_eq!(samples.clone().count() as u64, expected - left_out);
        assert!(
            samples
                .clone()
                .all(|sample| sample.offset >= offset && sample.offset + u64::from(sample.size) <= size)
        );
    }

    if media_size > MAX_MEDIA_SIZE {
        return;
    }
    let plan = RecordPlan::new(chunks.iter().copied());
    let Ok(layout) = plan.lay_out() else { return };
    let (mut file, mut writer) = (layout.head.bytes.clone(), layout.writer(0).0);
    while let Some(needed) = writer.needed() {
        writer.take(&vec![0; needed as usize], &mut file).expect("what was laid out should be written");
    }
    assert_eq!(file.len() as u64, layout.head.file_size);
    assert!(flv::Reader::new(&file).expect("a header was written").all(|tag| tag.is_ok()));
});
