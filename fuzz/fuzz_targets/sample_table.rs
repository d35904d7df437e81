//! Any bytes give an error, or a table that is walked without a fault and written in the same bytes.
#![no_main]

use sample_table::{SampleTable, TableWriter};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(table) = SampleTable::parse(bytes) else { return };
    let mut writer = TableWriter::new();
    let mut offset = 0;
    for run in table.runs() {
        assert_eq!(run.offset, offset);
        writer.begin_run(run.track, run.entry);
        let mut count = 0;
        for sample in run.samples() {
            offset += u64::from(sample.size);
            writer.sample(sample);
            count += 1;
        }
        assert_eq!((run.offset + run.size, run.count), (offset, count));
    }
    assert_eq!(table.media_size(), offset);
    assert!(writer.finish(table.head()) == bytes);
});
