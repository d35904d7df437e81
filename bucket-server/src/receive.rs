//! Bodies, on their way to a file.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::StreamExt as _;
use http_server::BodyError;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{Checksum, ChecksumAlgorithm, StreamingBlob};
use s3s::{S3Error, S3Result, StdError, TrailingHeaders, s3_error};

use crate::attributes::Attributes;
use crate::fault::disk;
use crate::place::hex;
use crate::room::Promise;
use crate::store::{Store, Temporary};

/// How much of a body is written in one go.
const WRITE_BYTES: usize = 512 << 10;

/// What a client says of a body.
#[derive(Default)]
pub(crate) struct Declared {
    pub(crate) length: Option<i64>,
    /// The MD5, in base64.
    pub(crate) md5: Option<String>,
    pub(crate) checksum: Checksum,
    /// The checksum that comes behind the body.
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    pub(crate) trailers: Option<TrailingHeaders>,
}

/// A body in a file, which is not synced yet.
pub(crate) struct Received {
    pub(crate) temporary: Temporary,
    pub(crate) file: File,
    /// In hexadecimal.
    pub(crate) md5: String,
    pub(crate) checksum: Checksum,
}

impl Received {
    /// Writes `attributes` beside it, and makes both last.
    pub(crate) fn seal(&self, store: &Store, attributes: &Attributes) -> S3Result<()> {
        attributes.write(&self.file, &store.companions()).and_then(|()| self.file.sync_all()).map_err(disk)
    }
}

/// Receives a body that is what the client says.
pub(crate) async fn receive(
    store: &Arc<Store>,
    body: Option<StreamingBlob>,
    declared: Declared,
) -> S3Result<Received> {
    let opener = store.clone();
    let (mut sink, declared) = blocking(move || Ok((Sink::new(&opener, &declared)?, declared))).await?;
    if let Some(mut body) = body {
        let mut waiting: Vec<Bytes> = Vec::new();
        let mut bytes = 0;
        while let Some(frame) = body.next().await {
            let frame = frame.map_err(broken)?;
            bytes += frame.len();
            waiting.push(frame);
            if bytes >= WRITE_BYTES {
                sink = sink.write(std::mem::take(&mut waiting)).await?;
                bytes = 0;
            }
        }
        sink = sink.write(waiting).await?;
    }
    sink.finish(declared)
}

/// What is answered where a body does not come to its end.
fn broken(error: StdError) -> S3Error {
    if let Some(BodyError::Stalled(stalled)) = error.downcast_ref() {
        return s3_error!(RequestTimeout, "{stalled}");
    }
    let message = error.to_string();
    s3_error!(std::io::Error::other(error), IncompleteBody, "{message}")
}

struct Sink {
    temporary: Temporary,
    file: File,
    bytes: u64,
    length: Option<u64>,
    md5: Md5,
    checksum: ChecksumHasher,
    /// Given back last, when the file is closed and its room free again.
    promise: Promise,
}

impl Sink {
    fn new(store: &Store, declared: &Declared) -> S3Result<Self> {
        let checksum = hasher(&declared.checksum, declared.algorithm.as_ref())?;
        let length = declared.length.and_then(|length| u64::try_from(length).ok());
        let promise = store.room.promise(length)?;
        let temporary = store.temporary();
        let file = File::create_new(&temporary.0).map_err(disk)?;
        Ok(Self { temporary, file, bytes: 0, length, md5: Md5::new(), checksum, promise })
    }

    async fn write(mut self, frames: Vec<Bytes>) -> S3Result<Self> {
        blocking(move || {
            let bytes: u64 = frames.iter().map(|frame| frame.len() as u64).sum();
            self.admit(bytes)?;
            for frame in &frames {
                self.file.write_all(frame).map_err(disk)?;
                self.md5.update(frame);
                self.checksum.update(frame);
            }
            self.promise.spend(bytes);
            Ok(self)
        })
        .await
    }

    /// Whether so much more may come. What a client did not declare has no promise yet, and what is more than it declared
    /// gets none.
    fn admit(&mut self, bytes: u64) -> S3Result<()> {
        self.bytes += bytes;
        match self.length {
            Some(length) if self.bytes > length => Err(s3_error!(IncompleteBody)),
            Some(_) => Ok(()),
            None => self.promise.grow(bytes),
        }
    }

    fn finish(self, declared: Declared) -> S3Result<Received> {
        if declared.length.is_some_and(|length| u64::try_from(length) != Ok(self.bytes)) {
            return Err(s3_error!(IncompleteBody));
        }
        let md5 = self.md5.finalize();
        if declared.md5.is_some_and(|declared| declared != BASE64_STANDARD.encode(md5)) {
            return Err(s3_error!(BadDigest, "the body has another MD5"));
        }
        let mut wanted = declared.checksum;
        if let Some(trailers) = declared.trailers.and_then(|trailers| trailers.take()) {
            let trailer = |name| trailers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            for (name, _, value) in fields(&mut wanted) {
                *value = value.take().or_else(|| trailer(name));
            }
        }
        let mut checksum = self.checksum.finalize();
        let found = fields(&mut checksum).map(|(_, _, value)| value.clone());
        for ((name, _, wanted), found) in fields(&mut wanted).into_iter().zip(found) {
            if wanted.is_some() && *wanted != found {
                return Err(s3_error!(BadDigest, "the body has another {}", name));
            }
        }
        Ok(Received { temporary: self.temporary, file: self.file, md5: hex(&md5), checksum })
    }
}

/// The checksums by their header, and by their algorithm's name.
pub(crate) fn fields(of: &mut Checksum) -> [(&'static str, &'static str, &mut Option<String>); 5] {
    [
        ("x-amz-checksum-crc32", ChecksumAlgorithm::CRC32, &mut of.checksum_crc32),
        ("x-amz-checksum-crc32c", ChecksumAlgorithm::CRC32C, &mut of.checksum_crc32c),
        ("x-amz-checksum-crc64nvme", ChecksumAlgorithm::CRC64NVME, &mut of.checksum_crc64nvme),
        ("x-amz-checksum-sha1", ChecksumAlgorithm::SHA1, &mut of.checksum_sha1),
        ("x-amz-checksum-sha256", ChecksumAlgorithm::SHA256, &mut of.checksum_sha256),
    ]
}

fn hasher(declared: &Checksum, algorithm: Option<&ChecksumAlgorithm>) -> S3Result<ChecksumHasher> {
    let mut wanted = declared.clone();
    if let Some(algorithm) = algorithm {
        let mut fields = fields(&mut wanted).into_iter();
        let Some((_, _, value)) = fields.find(|(_, name, _)| *name == algorithm.as_str()) else {
            return Err(s3_error!(NotImplemented, "no such checksum is known here"));
        };
        value.get_or_insert_default();
    }
    Ok(ChecksumHasher {
        crc32: wanted.checksum_crc32.map(|_| Default::default()),
        crc32c: wanted.checksum_crc32c.map(|_| Default::default()),
        sha1: wanted.checksum_sha1.map(|_| Default::default()),
        sha256: wanted.checksum_sha256.map(|_| Default::default()),
        crc64nvme: wanted.checksum_crc64nvme.map(|_| Default::default()),
    })
}

/// Does what waits for the disk where it holds up nobody else.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> S3Result<T> + Send + 'static,
) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panicked) => Err(s3_error!(panicked, InternalError)),
    }
}

#[cfg(test)]
mod tests {
    use http_server::Stalled;

    use super::*;

    #[test]
    fn a_body_that_stopped_coming_is_told_from_one_that_is_cut_off() {
        let stalled = Stalled { came: 1, promised: Some(1_000) };
        let answered = broken(Box::new(BodyError::Stalled(stalled)));
        assert_eq!(answered.code().as_str(), "RequestTimeout");
        assert_eq!(answered.message(), Some("the body stopped coming: 1 of 1000 bytes came"));
        assert_eq!(broken("cut off".into()).code().as_str(), "IncompleteBody");
    }
}
