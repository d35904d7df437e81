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
        )
    }

    /// Reads the values of the three variables.
    ///
    /// # Errors
    /// A sentence that names the variable and what is wrong with it, without showing a secret.
    pub fn parse(access_keys: &str, private_callbacks: &str, name_timezone: &str) -> Result<Self, String> {
        let private_callbacks = match private_callbacks {
            "true" => PrivateCallbacks::Allowed,
            "false" => PrivateCallbacks::Refused,
            other => return Err(format!("variable private_callbacks is {other:?}, neither true nor false")),
        };
        Ok(Self {
            keys: Keys::parse(access_keys).map_err(|error| format!("variable access_keys: {error}"))?,
            private_callbacks,
            timezone: name_timezone.parse().map_err(|error| format!("variable name_timezone: {error}"))?,
        })
    }
}
