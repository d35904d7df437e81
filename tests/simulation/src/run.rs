//! One whole history: played, judged and counted.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use crate::chances::Chances;
use crate::coverage::Coverage;
use crate::figures::Figures;
use crate::functions::{Functions, Handlers};
use crate::history::History;
use crate::hosts::WORK_BUCKET;
use crate::judge::judge;
use crate::options::Gateways;
pub use crate::options::Options;
#[cfg(feature = "real-gateways")]
use crate::real_gateway::RealGateways;
use crate::trace::Detail;
use crate::workload::play;

/// What a history came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// The hash of its trace; 0 where it panicked.
    pub hash: u64,
    /// What it reached.
    pub coverage: Coverage,
    /// How much there was of it.
    pub figures: Figures,
    /// Its trace, where that is kept.
    pub trace: Vec<String>,
    /// The events and faults that happened, in order.
    pub happened: Vec<u32>,
    /// What is wrong with it, in words.
    pub judged: Result<(), String>,
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps what a panic of a thread says for the history that the thread plays; prints it as well, if `prints`.
pub fn keep_panics(prints: bool) {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANIC.set(Some(panic.to_string()));
        if prints {
            print(panic);
        }
    }));
}

/// Plays a history on the handlers of the functions, and judges it. A panic is a failure as any other.
///
/// # Panics
/// Where gateways are to be real, and this was built without the feature `real-gateways`.
#[must_use]
pub fn run(options: &Options) -> Outcome {
    let functions: Rc<dyn Functions> = match options.gateways {
        Gateways::Models => Rc::new(Handlers),
        #[cfg(feature = "real-gateways")]
        Gateways::Real => Rc::new(RealGateways { seed: options.seed }),
        #[cfg(not(feature = "real-gateways"))]
        Gateways::Real => panic!("there are no real gateways without the feature `real-gateways`"),
    };
    run_on(functions, options)
}

/// The same, on what answers calls.
#[must_use]
pub fn run_on(functions: Rc<dyn Functions>, options: &Options) -> Outcome {
    let chances = Rc::new(Chances::new(options.seed, options.only.clone()));
    let played = catch_unwind(AssertUnwindSafe(|| {
        let (mut history, plan) = play(&chances, options, functions);
        let judged = judge(&mut history, &plan);
        if judged.is_err() && options.detail != Detail::None {
            print_state(&history);
        }
        let trace = history.trace.take_kept();
        (history.trace.hash(), Figures::of(&history), history.coverage, judged, trace)
    }));
    let (hash, figures, coverage, judged, trace) = played.unwrap_or_else(|panic| {
        let error = PANIC.take().unwrap_or_else(|| text(&*panic));
        (0, Figures::default(), Coverage::default(), Err(format!("it panicked: {error}")), Vec::new())
    });
    // A runtime catches panics of the tasks of a real gateway; `keep_panics` has them known here.
    let judged = PANIC.take().map_or(judged, |panic| Err(format!("a task panicked: {panic}")));
    Outcome { seed: options.seed, hash, coverage, figures, trace, happened: chances.happened(), judged }
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say why").into()
}

/// Prints what the store and the work bucket hold.
fn print_state(history: &History) {
    let world = history.hosts.any();
    for (key, value) in world.store.values() {
        println!("{key}: {}", String::from_utf8_lossy(&value));
    }
    for (name, object) in world.buckets.objects.borrow().iter() {
        if name.starts_with(WORK_BUCKET) {
            println!("{name}: {}", String::from_utf8_lossy(&object.bytes));
        }
    }
}
