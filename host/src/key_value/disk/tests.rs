use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use redb::StorageBackend;
use redb::backends::FileBackend;

use super::*;

/// A file on a disk that may be full.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    is_full: Arc<AtomicBool>,
}

impl Disk {
    fn check(&self) -> Result<(), std::io::Error> {
        if self.is_full.load(Relaxed) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.check()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.check()?;
        self.file.write(offset, data)
    }
}

type Open = Box<dyn Fn() -> Result<Database, redb::DatabaseError> + Send + Sync>;

/// Opens a store's file in a folder, on a disk that may be full.
fn opener(directory: &Path, is_full: &Arc<AtomicBool>) -> Open {
    let (path, is_full) = (directory.join("store.redb"), is_full.clone());
    Box::new(move || {
        let file =
            std::fs::File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        let disk = Disk { file: FileBackend::new(file).unwrap(), is_full: is_full.clone() };
        Database::builder().create_with_backend(disk)
    })
}

#[tokio::test]
async fn a_disk_that_was_full_ends_no_store() {
    let directory = tempfile::tempdir().unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let open = opener(directory.path(), &is_full);
    let store = DiskStore::start(open().unwrap(), open).unwrap();
    store.set("a".into(), b"1".to_vec()).await.unwrap();
    store.health().unwrap();

    is_full.store(true, Relaxed);
    for _ in 0..3 {
        store.set("b".into(), vec![0; 1 << 20]).await.unwrap_err();
        store.health().unwrap_err();
    }
    is_full.store(false, Relaxed);
    std::thread::sleep(REOPEN_AFTER);
    // The first try may find it closed, and open it.
    if store.increment("c".into(), 1).await.is_err() {
        store.health().unwrap_err();
        store.increment("c".into(), 1).await.unwrap();
    }
    store.health().unwrap();
    assert_eq!(store.get("a").await.unwrap(), Some(b"1".to_vec()));
    assert_eq!(store.keys().await.unwrap(), ["a", "c"]);
}

#[tokio::test]
async fn a_store_heals_though_nothing_is_written_and_not_before_the_disk_does() {
    let directory = tempfile::tempdir().unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let tries = Arc::new(AtomicU64::new(0));
    let open: Open = {
        let (open, tries) = (opener(directory.path(), &is_full), tries.clone());
        Box::new(move || {
            tries.fetch_add(1, Relaxed);
            open()
        })
    };
    let store = DiskStore::start(open().unwrap(), open).unwrap();
    store.set("a".into(), b"1".to_vec()).await.unwrap();
    is_full.store(true, Relaxed);
    store.set("b".into(), vec![0; 1 << 20]).await.unwrap_err();
    // Once after the write, and by itself after that.
    until(|| tries.load(Relaxed) >= 4).await;
    store.health().unwrap_err();
    is_full.store(false, Relaxed);
    until(|| store.health().is_ok()).await;
    assert_eq!(store.get("a").await.unwrap(), Some(b"1".to_vec()));
    assert_eq!(store.keys().await.unwrap(), ["a"], "what was tried is not in the store");
    store.set("b".into(), vec![0; 1 << 20]).await.unwrap();
}

#[tokio::test]
async fn reads_wait_for_nothing_while_the_store_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let is_full = Arc::new(AtomicBool::new(false));
    let (entered, is_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let database = opener(directory.path(), &is_full)().unwrap();
    let open: Open = {
        let (open, released) = (opener(directory.path(), &is_full), Mutex::new(released));
        Box::new(move || {
            entered.send(()).unwrap();
            // Nobody holds it up any more once the test has let go.
            _ = released.lock().unwrap().recv();
            open()
        })
    };
    let store = Arc::new(DiskStore::start(database, open).unwrap());
    store.set("a".into(), b"1".to_vec()).await.unwrap();
    is_full.store(true, Relaxed);
    store.set("b".into(), vec![0; 1 << 20]).await.unwrap_err();
    is_full.store(false, Relaxed);
    is_entered.recv_timeout(Duration::from_secs(10)).unwrap();

    let (read, is_read) = mpsc::channel();
    let reader = std::thread::spawn({
        let store = store.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            read.send(runtime.block_on(store.get("a"))).unwrap();
        }
    });
    let answered = is_read.recv_timeout(Duration::from_secs(10));
    drop(release);
    answered.unwrap().unwrap_err();
    reader.join().unwrap();
    until(|| store.health().is_ok()).await;
    assert_eq!(store.get("a").await.unwrap(), Some(b"1".to_vec()));
}

/// Waits until something is so, half a minute at most.
async fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never is");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_copy_holds_what_was_there_at_one_moment_and_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(DiskStore::open(folder.path()).unwrap());
    // Each round sets both to the same.
    let round = async |store: &DiskStore, value: u8| {
        store.set("a".into(), vec![value]).await.unwrap();
        store.set("b".into(), vec![value]).await.unwrap();
    };
    round(&store, 0).await;
    let file = folder.path().join("copy.redb");
    let copying = tokio::task::spawn_blocking({
        let (store, file) = (store.clone(), file.clone());
        move || store.copy_to(&file)
    });
    for value in 1..50 {
        round(&store, value).await;
    }
    copying.await.unwrap().unwrap();
    let error = store.copy_to(&file).unwrap_err().to_string();
    assert!(error.contains("is there already"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing half made is left");

    let copy = DiskStore::open_file(&file).unwrap();
    let value = async |store: &DiskStore, key| store.get(key).await.unwrap().unwrap()[0];
    let (a, b) = (value(&copy, "a").await, value(&copy, "b").await);
    assert!(a == b || a == b + 1, "{a} and {b} were never there together");
    assert_eq!(value(&store, "b").await, 49);
    copy.set("c".into(), Vec::new()).await.unwrap();
}
