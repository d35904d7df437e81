//! What a chunk costs: as much as its own bytes make, whatever parameter sets are held meanwhile.

use std::time::{Duration, Instant};

use flv::TagKind::Video;
use recorder_remux::{Policy, remux};

use crate::chunk::{Bits, Chunk, avc_header, pps, slice, sps};

/// How many times longer the one chunk takes than the other, of the shortest of some runs of each.
fn times_longer(one: &Chunk, other: &Chunk) -> f64 {
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..5 {
        for (chunk, shortest) in [one, other].into_iter().zip(&mut shortest) {
            let began = Instant::now();
            let (slice, _) = remux(&chunk.0, &[], &Policy::default()).unwrap();
            *shortest = began.elapsed().min(*shortest);
            assert!(slice.size > 0);
        }
    }
    shortest[0].as_secs_f64() / shortest[1].as_secs_f64()
}

/// A sequence parameter set as [`sps`] writes it, that is long to read: twelve scaling lists stand before its size.
fn long_sps() -> Vec<u8> {
    let mut bits = Bits::default().put(24, 0xf4_00_1e).ue(0).ue(3).put(1, 0).ue(0).ue(0).put(1, 0).put(1, 1);
    for list in 0..12 {
        bits = bits.put(1, 1);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            bits = bits.put(31, 0xffff);
        }
    }
    let bits = bits.ue(0).ue(0).ue(0).ue(1).put(1, 0);
    bits.ue(7).ue(0).put(1, 1).put(1, 1).put(1, 0).put(1, 0).unit(&[0x67])
}

/// A chunk that begins with a sequence header.
fn chunk(sps: &[u8]) -> Chunk {
    Chunk::new().tag(Video, 0, &avc_header(4, &[sps], &[&pps(0, 0, 0)]))
}

#[track_caller]
fn check(one: &Chunk, other: &Chunk) {
    let found = times_longer(one, other);
    assert!(found < 4.0, "{found:.1} times longer");
}

/// Checks that the same messages cost the same behind a set that is long to read as behind one that is not.
#[track_caller]
fn check_sets(messages: impl Fn(Chunk) -> Chunk) {
    check(&messages(chunk(&long_sps())), &messages(chunk(&sps(0, 8))));
}

#[test]
fn sets_that_are_cut_cost_the_same_whatever_set_they_would_replace() {
    let mut units = vec![&b"\x67\xf4\0\x1e\x80"[..]; 4_000];
    let slice = slice(0, 1, true);
    units.push(&slice);
    check_sets(|chunk| chunk.avc(0, true, &units));
}

#[test]
fn sets_beside_others_cost_the_same_whatever_those_are() {
    let [one, other] = [sps(1, 8), sps(1, 16)];
    let mut units = [&one[..], &other].repeat(2_000);
    let slice = slice(0, 1, true);
    units.push(&slice);
    check_sets(|chunk| chunk.avc(0, true, &units));
}

#[test]
fn slices_cost_the_same_whatever_sets_they_are_read_by() {
    let (first, more) = (slice(0, 1, true), slice(4, 1, true));
    check_sets(|chunk| {
        (0..4_000).fold(chunk.avc(0, true, &[&first]), |chunk, _| chunk.avc(0, true, &[&more]))
    });
}

#[test]
fn a_long_message_costs_the_same_whether_others_look_at_it_or_not() {
    // It has no coded slice, so that it is read to its end, and by lengths of other sizes too.
    let filler = [0xff; 2_000];
    let long = [vec![&b"\x06\x01"[..]; 8_000], vec![&filler[..]; 190]].concat();
    // The time of a stamp that is repeated is known by the next other one.
    let pictures = |chunk: Chunk| (0..80).fold(chunk, |chunk, n| chunk.avc(0, false, &[&slice(0, n, false)]));
    let begin = || chunk(&sps(0, 8)).avc(0, true, &[&slice(0, 1, true)]);
    check(&pictures(begin()).avc(0, false, &long), &pictures(begin().avc(0, false, &long)));
}
