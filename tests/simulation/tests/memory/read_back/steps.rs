//! What is wrong where a publisher's clock steps.

use simulation::media::{Shape, Track};

use super::{delay, is_found, recorded, replace, times};

/// The slices from the step on. Unit of the latter: ms after the push's begin.
const BEHIND: [&str; 4] = ["_3.ts", "_4.ts", "_5.ts", "_6.ts"];
const STEP_MS: u64 = 15_000;

/// So much of the clock of transport streams is 7 s, and any time after which it begins anew. Unit: 1/90 000 s.
const STEP: u64 = 630_000;
const ALL: u64 = 1 << 33;

/// Whether a push has sound, and such a step with the keyframe that begins a slice.
fn steps(shape: Shape, to: &str) -> bool {
    let step = format!("a publisher's clock that steps {to} at a keyframe");
    let has = |from_ms, to_ms, what: &str| shape.features(from_ms, to_ms).any(|feature| feature == what);
    has(STEP_MS, STEP_MS + 1, &step)
        && shape.has(Track::Audio, 0, 1_000)
        && !has(0, 31_000, "parameter sets that change")
}

fn delay_all(slice: &mut [u8], ticks: u64) {
    times(slice).into_iter().for_each(|at| delay(slice, at, ticks));
}

/// Moves nothing but sound ahead.
fn delay_sound(slice: &mut [u8]) {
    let is_sound = |at: &usize| slice[at - 6] == 0xc0;
    let sound: Vec<usize> = times(slice).into_iter().filter(|at| is_sound(at)).collect();
    sound.into_iter().for_each(|at| delay(slice, at, 180));
}

#[test]
fn what_is_wrong_behind_a_pause_is_found() {
    let history = recorded(|shape| steps(shape, "7 s ahead"));
    assert!(is_found(&history, &BEHIND, |slice| delay_all(slice, ALL - STEP)), "the pause is left out");
    assert!(is_found(&history, &BEHIND, |slice| delay_sound(slice)), "sound is late behind it");
    let shorten = |list: &mut Vec<u8>| replace(list, b"#EXTINF:12.000", b"#EXTINF:05.000");
    assert!(is_found(&history, &[".m3u8"], shorten), "the playlist leaves it out");
}

#[test]
fn what_is_wrong_behind_a_step_that_is_set_right_is_found() {
    for to in ["an hour ahead", "back by a second", "back by 40 s", "back to 0"] {
        let history = recorded(|shape| steps(shape, to));
        assert!(is_found(&history, &BEHIND, |slice| delay_all(slice, STEP)), "{to}: the step is half kept");
        assert!(is_found(&history, &BEHIND, |slice| delay_sound(slice)), "{to}: sound is late behind it");
        assert!(is_found(&history, &BEHIND[1..], |slice| delay_all(slice, 180)), "{to}: pictures are late");
    }
}
