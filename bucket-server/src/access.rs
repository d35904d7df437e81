//! Which requests are answered at all.

use s3s::S3Result;
use s3s::access::{S3Access, S3AccessContext};

/// Lets everybody read objects, and whoever signs do everything.
pub(crate) struct PublicRead;

#[async_trait::async_trait]
impl S3Access for PublicRead {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        match (context.credentials(), context.s3_op().name()) {
            (Some(_), _) | (None, "GetObject" | "HeadObject") => Ok(()),
            _ => Err(s3s::s3_error!(AccessDenied, "this request has to be signed")),
        }
    }
}
