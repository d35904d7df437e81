//! The parts of the process beside the gateway, as an operator sees them.

use std::sync::Arc;

use bucket_server::Room;
use exposition::Exposition;
use gateway::Reason;
use gateway::admin::Part;
use host::Host;

/// The functions' host.
pub(crate) struct Functions(Arc<Host>);

impl Functions {
    pub(crate) fn part(host: &Arc<Host>) -> Arc<dyn Part> {
        Arc::new(Self(host.clone()))
    }
}

impl Part for Functions {
    fn write_metrics(&self, text: &mut Exposition) {
        self.0.write_metrics(text);
    }

    fn problems(&self) -> Vec<Reason> {
        // What failed may name a key, and everybody may ask: the log says it.
        let message = "the functions' key-value store failed last";
        self.0.health().is_err().then(|| reason("store_fails", message)).into_iter().collect()
    }
}

/// The room that the bucket server's objects have.
pub(crate) struct Buckets(Arc<Room>);

impl Buckets {
    pub(crate) fn part(room: Arc<Room>) -> Arc<dyn Part> {
        Arc::new(Self(room))
    }
}

impl Part for Buckets {
    fn write_metrics(&self, text: &mut Exposition) {
        let Self(room) = self;
        if let Some(free) = room.free() {
            text.gauge("live_recorder_buckets_disk_free_bytes", "Bytes that their disk has room for.")
                .value(&[], free);
        }
        text.gauge("live_recorder_buckets_keep_free_bytes", "Bytes of it that objects leave free.")
            .value(&[], room.floor());
        text.gauge("live_recorder_buckets_full", "1 where objects are refused for want of room.")
            .value(&[], u64::from(room.shortage().is_some()));
        text.counter(
            "live_recorder_buckets_refused_writes_total",
            "Writes that were refused for want of room.",
        )
        .value(&[], room.refusals());
    }

    fn problems(&self) -> Vec<Reason> {
        let message =
            "the buckets' disk has no more room than is kept free: what is recorded waits in the spool";
        self.0.shortage().map(|_| reason("buckets_full", message)).into_iter().collect()
    }
}

fn reason(code: &str, message: &str) -> Reason {
    Reason { code: code.into(), message: message.into() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::sync::atomic::{AtomicU64, Ordering};

    use bucket_server::{BucketConfig, BucketServer, KeepFree, Space};

    use super::*;

    /// The buckets of a server that keeps 100 bytes free, on a disk with as many as the test says.
    fn buckets(folder: &Path) -> (Arc<dyn Part>, Arc<AtomicU64>) {
        let free = Arc::new(AtomicU64::new(100));
        let disk = free.clone();
        let look = move || Ok(Space { size: 1000, free: disk.load(Ordering::Relaxed) });
        let server = BucketServer::open(&BucketConfig {
            directory: folder.to_owned(),
            access_key_id: "id".into(),
            access_key_secret: "secret".into(),
            buckets: Vec::new(),
            public_read: false,
            keep_free: KeepFree { bytes: Some(100), look: Some(Arc::new(look)) },
        });
        (Buckets::part(server.unwrap().room()), free)
    }

    #[test]
    fn a_disk_without_room_is_told_and_heals() {
        let folder = tempfile::tempdir().unwrap();
        let (buckets, free) = buckets(folder.path());
        assert_eq!(buckets.problems(), []);
        free.store(99, Ordering::Relaxed);
        let codes: Vec<_> = buckets.problems().into_iter().map(|reason| reason.code).collect();
        assert_eq!(codes, ["buckets_full"]);
        let mut text = Exposition::default();
        buckets.write_metrics(&mut text);
        let text = text.finish();
        for said in ["disk_free_bytes 99", "keep_free_bytes 100", "full 1", "refused_writes_total 0"] {
            assert!(text.contains(&format!("\nlive_recorder_buckets_{said}\n")), "{said}: {text}");
        }
        free.store(100, Ordering::Relaxed);
        assert_eq!(buckets.problems(), []);
    }

    #[test]
    fn the_documentation_names_what_is_exposed() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = Exposition::default();
        buckets(folder.path()).0.write_metrics(&mut text);
        let text = text.finish();
        let exposed: BTreeSet<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/disk.md");
        let document = std::fs::read_to_string(document).unwrap();
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let named = document.split(|letter| !is_part(letter));
        let named: BTreeSet<&str> = named.filter(|word| word.starts_with("live_recorder_buckets")).collect();
        assert_eq!(named, exposed);
    }
}
