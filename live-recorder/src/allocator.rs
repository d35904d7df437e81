//! The allocator of the binary: mimalloc, which is to give back soon what nobody uses.

use std::ffi::c_long;

/// Uses the room of freed chunks again. glibc's allocator does not for most of it, and grows with each wave of pushes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// mimalloc's option `purge_delay`, which its crate has no name for: after how many milliseconds a page that nobody uses
/// goes back to the system. It comes right before this one (`mi_option_e` in `mimalloc.h`).
const PURGE_DELAY: libmimalloc_sys::mi_option_t = libmimalloc_sys::mi_option_use_numa_nodes - 1;

/// Pushes cut their chunks some seconds apart: what one of them has had is of no use to the next one.
const SOON_MS: c_long = 10;

/// Has what nobody uses given back after ten milliseconds, and not after a second, unless `MIMALLOC_PURGE_DELAY` says
/// when. To be called before the process has a second thread.
pub(crate) fn give_back_soon() {
    // SAFETY: it sets an aligned number. In the process of a command no other thread is there yet; in a test's, the
    // allocator may read the value before or the one after.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, SOON_MS) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_that_of_the_delay() {
        // SAFETY: it reads a number that this test alone writes.
        let delay_ms = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        assert!(std::env::var_os("MIMALLOC_PURGE_DELAY").is_none(), "the test is of the default");
        assert_eq!(delay_ms(), 1_000, "mimalloc's own default; no option beside it has this one");
        give_back_soon();
        assert_eq!(delay_ms(), SOON_MS);
    }
}
