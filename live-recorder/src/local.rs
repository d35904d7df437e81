//! What `up` sets for local use, and the refusal to serve others with it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Result, ensure};
use host::environment_name;

use crate::listen::reachable;

/// Where the environment sets no other, the access key of everything.
pub(crate) const ACCESS_KEY_ID: &str = "testid";

/// Its secret.
pub(crate) const ACCESS_KEY_SECRET: &str = "testsecret";
const INGEST_TOKEN: &str = "testtoken";

/// The bucket for what ticks decided.
pub(crate) const WORK_BUCKET: &str = "work";

/// The variable with the receivers of callbacks: whoever may call the API names their URLs.
pub(crate) const CALLBACK_HOSTS: &str = "callback_hosts";

/// The variable that lets these be at private addresses.
pub(crate) const PRIVATE_CALLBACKS: &str = "private_callbacks";

/// The variables that guard what is listened on, in the environment's names.
const SECRETS: [&str; 4] =
    ["access_keys", "ingest_token", "bucket_access_key_id", "bucket_access_key_secret"];

/// The values of the application's variables for local use, where functions find the bucket server at `bucket`;
/// the environment overrides each.
pub(crate) fn variables(bucket: SocketAddr) -> BTreeMap<String, String> {
    let bucket = format!("http://{}", reachable(bucket));
    let local = [
        ("access_keys", format!("{ACCESS_KEY_ID}:{ACCESS_KEY_SECRET}")),
        ("ingest_token", INGEST_TOKEN.to_owned()),
        ("bucket_access_key_id", ACCESS_KEY_ID.to_owned()),
        ("bucket_access_key_secret", ACCESS_KEY_SECRET.to_owned()),
        ("bucket_hosts", bucket.clone()),
        (CALLBACK_HOSTS, "*://*:*".to_owned()),
        ("work_bucket", format!("{bucket}/{WORK_BUCKET}")),
        ("name_timezone", "+08:00".to_owned()),
        (PRIVATE_CALLBACKS, "true".to_owned()),
    ];
    let overridden = |(name, value): (&str, String)| {
        let value = std::env::var(environment_name(name)).unwrap_or(value);
        (name.to_owned(), value)
    };
    local.into_iter().map(overridden).collect()
}

/// Checks that what others can reach is not guarded by the secrets that everybody knows.
pub(crate) fn check_exposure(
    addresses: &[SocketAddr],
    environment: impl Fn(&str) -> Option<String>,
) -> Result<()> {
    let Some(exposed) = addresses.iter().find(|address| !address.ip().is_loopback()) else { return Ok(()) };
    let missing: Vec<String> = SECRETS
        .into_iter()
        .map(environment_name)
        .filter(|name| {
            environment(name).is_none_or(|value| value.is_empty() || value.contains(ACCESS_KEY_SECRET))
        })
        .collect();
    ensure!(
        missing.is_empty(),
        "{exposed} can be reached from outside: set own secrets first, in {}",
        missing.join(", ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: [(&str, &str); 4] = [
        ("SPIN_VARIABLE_ACCESS_KEYS", "id:own"),
        ("SPIN_VARIABLE_INGEST_TOKEN", "own"),
        ("SPIN_VARIABLE_BUCKET_ACCESS_KEY_ID", "id"),
        ("SPIN_VARIABLE_BUCKET_ACCESS_KEY_SECRET", "own"),
    ];

    fn check(address: &str, environment: &[(&str, &str)]) -> Result<()> {
        let addresses = ["127.0.0.1:1".parse().unwrap(), address.parse().unwrap()];
        check_exposure(&addresses, |name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_loopback_needs_no_own_secrets() {
        assert!(check("127.0.0.2:3000", &[]).is_ok());
        assert!(check("[::1]:3000", &[]).is_ok());
    }

    #[test]
    fn other_addresses_need_every_secret() {
        assert!(check("0.0.0.0:3000", &OWN).is_ok());
        for left_out in 0..OWN.len() {
            let mut environment = OWN.to_vec();
            let (name, _) = environment.remove(left_out);
            let error = check("192.0.2.1:3000", &environment).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("192.0.2.1:3000"), "{error}");
        }
    }

    #[test]
    fn the_known_secret_is_not_an_own_one() {
        let mut environment = OWN.to_vec();
        environment[0].1 = "testid:testsecret";
        assert!(check("0.0.0.0:3000", &environment).is_err());
    }
}
