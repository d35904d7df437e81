//! Whether a publisher may push, by what the gateway knows itself; and how a refusal is told.

use crate::{identity::Identity, operation::PublishRefused, settings::Settings};

/// Refuses a publish at `now_s`, in Unix seconds, that may not be.
pub(crate) fn check(settings: &Settings, identity: &Identity, now_s: u64) -> Result<(), Refusal> {
    let Settings { push_domains, push_keys, .. } = settings;
    let Identity { path, uris, auth_key, .. } = identity;
    let domain = path.domain();
    if !push_domains.is_empty() && !push_domains.iter().any(|allowed| allowed.eq_ignore_ascii_case(domain)) {
        let reason = anyhow::anyhow!("domain {domain} may not be pushed to");
        return Err(Refusal::denied(PublishRefused::Domain, reason));
    }
    // Without a key nobody is asked for a signature.
    if push_keys.is_empty() {
        return Ok(());
    }
    push_keys
        .check(domain, uris, auth_key.as_deref(), now_s)
        .map_err(|error| Refusal::denied(PublishRefused::Signature, error.into()))
}

/// What encoders are told where the publisher may not push a stream, or no more.
pub(crate) const DENIED: &str = "NetStream.Publish.Denied";

/// Why a publish is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// As encoders know it.
    pub(crate) code: &'static str,
    /// For people. Encoders show it.
    pub(crate) reason: anyhow::Error,
    /// As it is counted.
    pub(crate) counted: PublishRefused,
}

impl Refusal {
    /// The publisher may not push that stream.
    pub(crate) fn denied(counted: PublishRefused, reason: anyhow::Error) -> Self {
        Self { code: DENIED, reason, counted }
    }

    /// The name cannot be published, or not now.
    pub(crate) fn bad_name(counted: PublishRefused, reason: anyhow::Error) -> Self {
        Self { code: "NetStream.Publish.BadName", reason, counted }
    }
}

#[cfg(test)]
mod tests {
    use push_auth::PushKeys;
    use rtmp::Publish;

    use super::*;

    const NOW_S: u64 = 1_767_225_600;

    fn checked(keys: &[(&str, &str)], domains: &[&str], name: &str) -> Result<(), String> {
        let mut push_keys = PushKeys::new(0);
        keys.iter().for_each(|(domain, key)| push_keys.add(domain, key).unwrap());
        let push_domains = domains.iter().map(|&domain| domain.to_owned()).collect();
        let settings = Settings { push_keys, push_domains, ..Settings::default() };
        let publish =
            Publish { tc_url: "rtmp://D.example/live".into(), app: "live".into(), name: name.into() };
        let identity = Identity::of(&publish, "").unwrap();
        check(&settings, &identity, NOW_S)
            .map_err(|refusal| format!("{}: {:#}", refusal.code, refusal.reason))
    }

    #[test]
    fn without_keys_and_domains_anybody_may_push() {
        assert_eq!(checked(&[], &[], "x"), Ok(()));
        assert_eq!(checked(&[], &[], "x?auth_key=nonsense"), Ok(()));
    }

    #[test]
    fn other_domains_are_denied() {
        assert_eq!(checked(&[], &["e.example", "D.Example"], "x"), Ok(()));
        let refusal = "NetStream.Publish.Denied: domain f.example may not be pushed to";
        assert_eq!(checked(&[], &["d.example"], "x?vhost=f.example"), Err(refusal.into()));
    }

    #[test]
    fn with_keys_a_publish_has_to_be_signed() {
        let keys = [("d.example", "k")];
        let signed = |uri, time_s, key| format!("x?auth_key={}", push_auth::sign(uri, time_s, key));
        assert_eq!(checked(&keys, &[], &signed("/live/x", NOW_S, "k")), Ok(()));
        for (name, reason) in [
            ("x".to_owned(), "auth_key is missing"),
            (signed("/live/x", NOW_S, "l"), "auth_key is wrong"),
            (signed("/live/y", NOW_S, "k"), "auth_key is wrong"),
            (signed("/live/x", NOW_S - 1, "k"), "auth_key expired 1 s ago"),
            (signed("/live/x", NOW_S, "k") + "&vhost=e.example", "domain e.example has no push key"),
        ] {
            let refusal = checked(&keys, &[], &name).unwrap_err();
            assert!(refusal.starts_with(&format!("NetStream.Publish.Denied: {reason}")), "{refusal}");
        }
    }
}
