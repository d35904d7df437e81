//! One CPU for each thread that plays.

use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// How many threads have been given theirs. Another process begins at another CPU.
static GIVEN: LazyLock<AtomicUsize> = LazyLock::new(|| AtomicUsize::new(process::id() as usize));

thread_local! {
    static STAYS: () = choose();
}

/// Keeps this thread on one CPU from now on. What passes over sockets of this machine is handled on the CPU of its sender: on
/// one alone it nearly always arrives in the order in which it was sent, also on a machine that is busy.
pub(super) fn stay() {
    STAYS.with(|()| ());
}

/// The CPUs that this process may use are given out in turn.
fn choose() {
    let Ok(may_use) = sched_getaffinity(None) else { return };
    let cpus: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| may_use.is_set(*cpu)).collect();
    let turn = GIVEN.fetch_add(1, Ordering::Relaxed);
    let mut one = CpuSet::new();
    one.set(cpus[turn % cpus.len()]);
    // Without it histories are played as well.
    let _ = sched_setaffinity(None, &one);
}
