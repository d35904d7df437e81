//! What the application's variables say.

use acs::Keys;
use api::notify::PrivateCallbacks;
use naming::Timezone;
use shared::Variables;

/// What the application's variables say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Variable `access_keys`; see [`Keys::parse`].
    pub keys: Keys,
    /// Variable `private_callbacks`: `true` or `false`.
    pub private_callbacks: PrivateCallbacks,
    /// Variable `name_timezone`.
    pub timezone: Timezone,
    /// Variable `work_bucket`, as `endpoint/bucket`: nobody records into it.
    pub work_bucket: s3::Bucket,
    /// Variable `bucket_endpoints`: how the URLs of objects are written.
    pub endpoints: s3::Endpoints,
}

impl Settings {
    /// Reads the application's variables.
    ///
    /// # Errors
    /// A sentence that names the variable that is absent or wrong, without showing a secret.
    pub async fn read(world: &impl Variables) -> Result<Self, String> {
        let variable = async |name| world.variable(name).await.map_err(|refusal| refusal.problem.message);
        Self::parse(
            &variable("access_keys").await?,
            &variable("private_callbacks").await?,
            &variable("name_timezone").await?,
            &variable("work_bucket").await?,
            &variable("bucket_endpoints").await?,
        )
    }

    /// Reads the values of the variables.
    ///
    /// # Errors
    /// A sentence that names the variable and what is wrong with it, without showing a secret.
    pub fn parse(
        access_keys: &str,
        private_callbacks: &str,
        name_timezone: &str,
        work_bucket: &str,
        bucket_endpoints: &str,
    ) -> Result<Self, String> {
        let private_callbacks = match private_callbacks {
            "true" => PrivateCallbacks::Allowed,
            "false" => PrivateCallbacks::Refused,
            other => return Err(format!("variable private_callbacks is {other:?}, neither true nor false")),
        };
        let keys = Keys::parse(access_keys).map_err(|error| format!("variable access_keys: {error}"))?;
        for key in keys.iter() {
            s3::Buckets::parse(key.buckets().unwrap_or_default()).map_err(|problem| {
                format!("variable access_keys: bucket= of key {:?} {problem}", key.id())
            })?;
        }
        let work = work_bucket.rsplit_once('/').and_then(|(at, name)| s3::Bucket::new(at, name).ok());
        let malformed = || format!("variable work_bucket is {work_bucket:?}, and has to be endpoint/bucket");
        Ok(Self {
            keys,
            work_bucket: work.ok_or_else(malformed)?,
            private_callbacks,
            endpoints: s3::Endpoints::parse(bucket_endpoints)
                .map_err(|error| format!("variable bucket_endpoints: {error}"))?,
            timezone: name_timezone.parse().map_err(|error| format!("variable name_timezone: {error}"))?,
        })
    }
}
