//! What a host counts of its functions, of their key-value store, and of the requests that they send.
//!
//! All of it is counted where it happens, without locks; labels are the manifest's components and fixed sets, so that
//! nothing grows.

mod calls;
mod labels;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use exposition::{Counter, Exposition, FAST_SECONDS, Gauge, Histogram, Label, SECONDS};

pub(crate) use self::calls::Calls;
pub(crate) use self::labels::{Sent, Served, To, of_status};
pub(crate) use self::store::MeteredStore;
use self::store::StoreMetrics;

/// What is counted in a host.
#[derive(Debug)]
pub(crate) struct Metrics {
    functions: BTreeMap<Arc<str>, Arc<FunctionMetrics>>,
    pub(crate) store: Arc<StoreMetrics>,
    memory_limit_bytes: u64,
}

/// What is counted of one component.
#[derive(Debug)]
pub(crate) struct FunctionMetrics {
    pub(crate) component: Arc<str>,
    pub(crate) served: Arc<Calls<Served>>,
    sent: Box<[Arc<Calls<Sent>>]>,
    pub(crate) instances: Gauge,
    pub(crate) instances_started: Counter,
    pub(crate) instances_failed: Counter,
    pub(crate) instance_start: Histogram,
    /// Linear memory of all instances. Unit: bytes.
    pub(crate) memory_bytes: Gauge,
    pub(crate) memory_refused: Counter,
}

impl FunctionMetrics {
    pub(crate) fn new(component: &str) -> Self {
        Self {
            component: component.into(),
            served: Arc::new(Calls::new(&SECONDS)),
            sent: To::ALL.iter().map(|_| Arc::new(Calls::new(&SECONDS))).collect(),
            instances: Gauge::default(),
            instances_started: Counter::default(),
            instances_failed: Counter::default(),
            instance_start: Histogram::new(&FAST_SECONDS),
            memory_bytes: Gauge::default(),
            memory_refused: Counter::default(),
        }
    }

    pub(crate) fn sent(&self, to: To) -> &Arc<Calls<Sent>> {
        &self.sent[to.place()]
    }
}

impl Metrics {
    pub(crate) fn new<'a>(components: impl Iterator<Item = &'a str>, memory_limit_bytes: usize) -> Self {
        let metered = |component| {
            let metrics = Arc::new(FunctionMetrics::new(component));
            (metrics.component.clone(), metrics)
        };
        Self {
            functions: components.map(metered).collect(),
            store: Arc::default(),
            memory_limit_bytes: memory_limit_bytes as u64,
        }
    }

    /// Of a component of the manifest.
    pub(crate) fn of(&self, component: &str) -> &Arc<FunctionMetrics> {
        &self.functions[component]
    }

    pub(crate) fn write(&self, text: &mut Exposition) {
        self.write_served(text);
        self.write_instances(text);
        self.write_sent(text);
        self.store.write(text);
    }

    /// Each component, with its label.
    fn each(&self) -> impl Iterator<Item = ([(&'static str, &str); 1], &FunctionMetrics)> {
        self.functions.iter().map(|(component, metrics)| ([("function", &**component)], &**metrics))
    }

    fn write_served(&self, text: &mut Exposition) {
        let mut family = text.counter(
            "live_recorder_function_requests_total",
            "Requests that a function was given, by the status of the answer.",
        );
        self.each().for_each(|(of, function)| function.served.outcomes.write_with(&mut family, &of));
        let mut family = text.histogram(
            "live_recorder_function_request_duration_seconds",
            "From such a request to the head of its answer.",
        );
        self.each().for_each(|(of, function)| function.served.duration.write(&mut family, &of));
        let mut family =
            text.gauge("live_recorder_function_requests_running", "Those whose answer has not begun.");
        self.each().for_each(|(of, function)| family.value(&of, function.served.running.get()));
    }

    fn write_instances(&self, text: &mut Exposition) {
        let mut family = text.gauge("live_recorder_function_instances", "Instances of a function.");
        self.each().for_each(|(of, function)| family.value(&of, function.instances.get()));
        let mut family = text
            .counter("live_recorder_function_instances_started_total", "Instances of a function that began.");
        self.each().for_each(|(of, function)| family.value(&of, function.instances_started.get()));
        let mut family = text.counter(
            "live_recorder_function_instances_failed_total",
            "Instances that could not begin, or ended by a trap.",
        );
        self.each().for_each(|(of, function)| family.value(&of, function.instances_failed.get()));
        let mut family = text.histogram(
            "live_recorder_function_instance_start_seconds",
            "How long an instance took to begin.",
        );
        self.each().for_each(|(of, function)| function.instance_start.write(&mut family, &of));
        let mut family = text.gauge(
            "live_recorder_function_memory_bytes",
            "Linear memory of a function's instances, taken together.",
        );
        self.each().for_each(|(of, function)| family.value(&of, function.memory_bytes.get()));
        text.gauge("live_recorder_function_memory_limit_bytes", "How much one instance may have.")
            .value(&[], self.memory_limit_bytes);
        let mut family = text.counter(
            "live_recorder_function_memory_refused_total",
            "How often an instance was refused more memory.",
        );
        self.each().for_each(|(of, function)| family.value(&of, function.memory_refused.get()));
    }

    /// Each component with each place that it sends requests to.
    fn each_sent(&self) -> impl Iterator<Item = ([(&'static str, &str); 2], &Calls<Sent>)> {
        self.each().flat_map(|([of], function)| {
            To::ALL.iter().map(move |to| ([of, (To::NAME, to.as_str())], &**function.sent(*to)))
        })
    }

    fn write_sent(&self, text: &mut Exposition) {
        let mut family = text.counter(
            "live_recorder_sent_requests_total",
            "Requests that a function sent, by where to and what became of them.",
        );
        self.each_sent().for_each(|(of, calls)| calls.outcomes.write_with(&mut family, &of));
        let mut family = text.histogram(
            "live_recorder_sent_request_duration_seconds",
            "From such a request to the head of its answer.",
        );
        self.each_sent().for_each(|(of, calls)| calls.duration.write(&mut family, &of));
        let mut family =
            text.gauge("live_recorder_sent_requests_running", "Those whose answer has not begun.");
        self.each_sent().for_each(|(of, calls)| family.value(&of, calls.running.get()));
    }
}
