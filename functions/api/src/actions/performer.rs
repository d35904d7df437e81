//! Who performs the actions. The other files here say how, one `impl Handle` an action.

use acs::AccessKey;
use api::{ApiError, faults};
use s3::{Bucket, Buckets};

use crate::backend::World;
use crate::bindings::recorder::bucket::objects::Location;
use crate::settings::Settings;

/// Performs calls whose sender is known and may make them.
pub struct Performer<'a, W> {
    /// The components, the clock.
    pub world: &'a W,
    /// What the application's variables say.
    pub settings: &'a Settings,
    /// The key of the caller.
    pub key: &'a AccessKey,
}

/// How often a change is tried again that others came before.
pub(super) const UPDATE_ATTEMPTS: u32 = 16;

impl<W: World> Performer<'_, W> {
    /// Whether the caller may name a bucket, and it can be recorded into.
    ///
    /// A bucket that the caller may not name is asked for nowhere, and is told of as one that does not exist, whether
    /// it does or not. The log says why.
    pub(super) async fn check_bucket(&self, at: Location) -> Result<(), ApiError> {
        let bucket = Bucket::new(&at.endpoint, &at.bucket)
            .map_err(|error| ApiError::from(faults::INVALID_OSS_BUCKET_MALFORMED).with_detail(error))?;
        let refuse = |cause: &str| {
            let cause = format!("{}: {cause}", bucket.display());
            Err(ApiError::from(faults::INVALID_OSS_BUCKET_NOT_FOUND).caused_by(cause))
        };
        if self.settings.work_bucket.is_same(&bucket) {
            return refuse("the work bucket takes no recordings");
        }
        if let Some(patterns) = self.key.buckets() {
            let allowed = Buckets::parse(patterns);
            if !allowed.is_ok_and(|allowed| allowed.contains(&bucket)) {
                return refuse(&format!("key {:?} has no bucket= for it", self.key.id()));
            }
        }
        Ok(self.world.check_bucket(at).await?)
    }
}
