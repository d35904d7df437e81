//! Any chunk with any state gives an error, or a slice of exactly the size that was told; the next chunk accepts its
//! state.
#![no_main]

use remux::{Policy, SessionState, remux};

// The input is one byte that says whether a state follows, then the state, then a chunk.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&has_state, rest)) = input.split_first() else { return };
    let state_size = if has_state == 1 { SessionState::SIZE.min(rest.len()) } else { 0 };
    let (state, chunk) = rest.split_at(state_size);
    let Ok((slice, mut muxer)) = remux(chunk, state, &Policy::default()) else { return };
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
    // Bounded output: packets for each message, and what a pause may add.
    assert!(slice.size <= chunk.len() as u64 * 120 + 188 * 4_000, "{} of {}", slice.size, chunk.len());
    if !state.is_empty() {
        // An invented state may lie at the end of the time range, so that the next chunk would lie beyond it.
        return;
    }
    let next = SessionState::decode(&slice.state).expect("a state given out should be taken");
    assert_eq!(next.encode(), slice.state);
    // The same chunk again, as the one after the first.
    let (_, _) =
        remux(chunk, &slice.state, &Policy::default()).expect("a chunk taken once should be taken again");
});
