//! Any chunk with any state gives an error, or a slice and samples of exactly the sizes that were told; the next chunk
//! accepts its state.
#![no_main]

use remux::{Chunk, ChunkArrival, Policy, SessionState, remux, remux_with_samples};
use sample_table::SampleTable;

// The input is one byte that says whether a state follows and when the chunk arrived, then the state, then a chunk.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&first, rest)) = input.split_first() else { return };
    let state_size = if first == 1 { SessionState::SIZE.min(rest.len()) } else { 0 };
    let (state, bytes) = rest.split_at(state_size);
    let arrival = match first {
        0 | 1 => ChunkArrival::Unknown,
        2 => ChunkArrival::AfterPause,
        second => ChunkArrival::At(u64::from(second) * 1_000),
    };
    let chunk = Chunk { bytes, arrival };
    let Ok((slice, mut muxer, mut samples)) = remux_with_samples(chunk, state, &Policy::default()) else {
        return;
    };
    let mut written = 0;
    let mut block = Vec::with_capacity(188 * 5 + 3);
    let mut continuity = std::collections::BTreeMap::new();
    loop {
        block.clear();
        muxer.write(&mut block);
        if block.is_empty() {
            break;
        }
        written += block.len() as u64;
        for packet in block.chunks(188) {
            assert_eq!(packet[0], 0x47);
            let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
            let (step, counter) = (packet[3] >> 4 & 1, packet[3] & 0x0f);
            if let Some(last) = continuity.insert(pid, counter) {
                assert_eq!(counter, (last + step) & 0x0f);
            }
        }
    }
    assert_eq!(written, slice.size);
    let table = samples.table().to_vec();
    let table = SampleTable::parse(&table).expect("a table that was written should be read");
    assert_eq!(table.media_size(), samples.size());
    let mut media_size = 0;
    loop {
        block.clear();
        samples.write(&muxer, &mut block);
        if block.is_empty() {
            break;
        }
        media_size += block.len() as u64;
    }
    assert_eq!(media_size, samples.size());
    // A length may be one byte, and parameter sets stand before pictures.
    assert!(media_size <= bytes.len() as u64 * 3 + (1 << 18), "{media_size} of {}", bytes.len());
    // Bounded output: packets for each message, and what a pause may add.
    assert!(slice.size <= bytes.len() as u64 * 120 + 188 * 4_000, "{} of {}", slice.size, bytes.len());
    if !state.is_empty() {
        // An invented state may lie at the end of the time range, so that the next chunk would lie beyond it.
        return;
    }
    let next = SessionState::decode(&slice.state).expect("a state given out should be taken");
    assert_eq!(next.encode(), slice.state);
    // The same chunk again, as the one after the first, later.
    let arrival = match arrival {
        ChunkArrival::At(ms) => ChunkArrival::At(ms * 2),
        other => other,
    };
    let chunk = Chunk { bytes, arrival };
    let (_, _) =
        remux(chunk, &slice.state, &Policy::default()).expect("a chunk taken once should be taken again");
});
