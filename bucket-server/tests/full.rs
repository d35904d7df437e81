//! A disk that is full, and has room again.

use std::io::Write;
use std::process::Command;

use http::StatusCode;

use crate::client::{call, elements, get, pattern, put};
use crate::crash::Server;

/// A server over a disk of 8 MiB in memory, mounted where only this server sees it.
fn on_a_small_disk() -> Option<(Server, std::net::SocketAddr, tempfile::TempDir)> {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=8m none \"$0\" && exec \"$1\" \"$0\"")
        .arg(directory.path())
        .arg(env!("CARGO_BIN_EXE_serve-buckets"));
    let (server, address) = Server::start(command)?;
    Some((server, address, directory))
}

#[tokio::test]
async fn a_full_disk_is_said_and_heals() {
    let Some((_server, address, _directory)) = on_a_small_disk() else {
        // Written directly: of a test that passes, libtest shows nothing that `println!` prints.
        return std::io::stdout()
            .write_all(b"skipped: a full disk, for want of the right to mount one\n")
            .unwrap();
    };
    put(address, "/bucket/kept", pattern(3 << 20)).await;
    let full = [("PUT", "/bucket/large"), ("PUT", "/bucket/kept")];
    for (method, target) in full {
        let refused = call(address, method, target, &[], pattern(6 << 20)).await;
        assert_eq!(refused.status(), StatusCode::INSUFFICIENT_STORAGE, "{refused:?}");
        assert_eq!(elements(&refused, "Code"), ["InsufficientStorage"]);
    }
    let begun = call(address, "POST", "/bucket/parts?uploads=", &[], "").await;
    let id = elements(&begun, "UploadId").pop().unwrap();
    let part = format!("/bucket/parts?partNumber=1&uploadId={id}");
    let refused = call(address, "PUT", &part, &[], pattern(6 << 20)).await;
    assert_eq!(refused.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(get(address, "/bucket/large").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(address, "/bucket/kept").await.1, pattern(3 << 20));
    // What was refused has left nothing behind: what fits is taken at once.
    put(address, "/bucket/small", pattern(4 << 20)).await;
    for key in ["kept", "small"] {
        call(address, "DELETE", &format!("/bucket/{key}"), &[], "").await;
    }
    put(address, "/bucket/large", pattern(6 << 20)).await;
    assert_eq!(get(address, "/bucket/large").await.1, pattern(6 << 20));
}
