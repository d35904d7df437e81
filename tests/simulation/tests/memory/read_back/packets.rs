//! What is wrong with frames of many packets, and with packets of several frames.

use simulation::media::Shape;

use super::{find, is_found, recorded};

fn has(shape: Shape, what: &str) -> bool {
    shape.features(0, 31_000).any(|feature| feature == what)
}

/// Where the first picture begins whose PES packet says no length.
fn longest(slice: &[u8]) -> usize {
    find(slice, &[0, 0, 1, 0xe0, 0, 0]) / 188 * 188
}

#[test]
fn what_is_wrong_with_a_long_picture_is_found() {
    let history = recorded(|shape| has(shape, "pictures of more than 64 KiB"));
    let swapped = |slice: &mut Vec<u8>| {
        let begin = longest(slice) + 10 * 188;
        // All but the continuity counters.
        (4..188).for_each(|at| slice.swap(begin + at, begin + 188 + at));
    };
    assert!(is_found(&history, &["_1.ts"], swapped), "two packets are swapped");
    let lost = |slice: &mut Vec<u8>| {
        let begin = longest(slice) + 10 * 188;
        // As many as a continuity counter does not tell.
        slice.drain(begin..begin + 16 * 188);
    };
    assert!(is_found(&history, &["_1.ts"], lost), "packets are lost");
    let short = |slice: &mut Vec<u8>| {
        let begin = longest(slice);
        let header = begin + find(&slice[begin..], &[0, 0, 1, 0xe0]);
        slice[header + 5] = 9;
    };
    assert!(is_found(&history, &["_1.ts"], short), "the PES packet says a length");
}

#[test]
fn what_is_wrong_with_several_frames_of_a_packet_is_found() {
    let history = recorded(|shape| has(shape, "sound of several frames a PES packet"));
    let another = |slice: &mut Vec<u8>| {
        // Frames have 30 bytes behind 7 of a header, and no PES header lies between the two.
        let begins = |at: usize| slice.get(at..at + 2) == Some(&[0xff, 0xf1]);
        let second = (37..slice.len()).find(|at| begins(*at) && begins(at - 37)).unwrap();
        slice[second + 2] ^= 0x0c;
    };
    assert!(is_found(&history, &["_1.ts"], another), "the second frame has another rate");
}
