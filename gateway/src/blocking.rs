//! Disk I/O of the tasks that serve connections.
//!
//! What they write goes to memory of the system, which takes microseconds, less than handing it to another thread. A disk
//! that cannot keep up makes writers wait: then a worker hands its other tasks on while it does.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::runtime::{Handle, RuntimeFlavor};

/// What takes so long keeps other connections waiting.
const SLOW: Duration = Duration::from_millis(5);

/// Whether the last one was slow.
static IS_SLOW: AtomicBool = AtomicBool::new(false);

/// Does something that may wait for a disk.
pub(crate) fn run<T>(work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let is_worker =
        || Handle::try_current().is_ok_and(|at| at.runtime_flavor() == RuntimeFlavor::MultiThread);
    let done = if IS_SLOW.load(Ordering::Relaxed) && is_worker() {
        tokio::task::block_in_place(work)
    } else {
        work()
    };
    IS_SLOW.store(began.elapsed() >= SLOW, Ordering::Relaxed);
    done
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread::sleep};

    use super::*;

    #[test]
    fn a_slow_disk_keeps_no_other_task_waiting() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let task = runtime.spawn(async {
            run(|| sleep(2 * SLOW));
            let (done, waiting) = mpsc::channel();
            tokio::spawn(async move { done.send(()) });
            run(|| waiting.recv_timeout(Duration::from_secs(10)))
        });
        runtime.block_on(task).unwrap().expect("the other task should run meanwhile");
    }

    #[tokio::test]
    async fn where_there_is_one_thread_it_is_done_there() {
        for _ in 0..2 {
            assert_eq!(run(|| std::thread::current().id()), std::thread::current().id());
            run(|| sleep(2 * SLOW));
        }
    }
}
