//! What real encoders send, and other recorders were reported to get wrong: each case is a kind of input, rebuilt
//! by bending an ordinary push.

/// A test for each case that is recorded as a clean push of its clip is.
macro_rules! recorded_like_a_clean_push {
    ($($fact:ident: $case:literal,)+) => {
        $(
            #[test]
            fn $fact() {
                crate::judge::is_like_a_clean_push($case);
            }
        )+
    };
}

mod clocks;
mod codecs;
mod configurations;
mod connections;
mod payloads;
mod tracks;

use crate::stage::Case;

/// Every case, each pushed once.
pub(crate) fn all() -> Vec<&'static Case> {
    let kinds = [
        clocks::CASES,
        codecs::CASES,
        configurations::CASES,
        connections::CASES,
        payloads::CASES,
        tracks::CASES,
    ];
    kinds.into_iter().flatten().collect()
}
