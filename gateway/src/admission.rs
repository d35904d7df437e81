//! Whether a publisher may push, by what the gateway knows itself; and how a refusal is told.

use push_auth::PushKeys;

use crate::{identity::Identity, operation::PublishRefused};

/// Who may push.
#[derive(Debug)]
pub(crate) struct Admission {
    keys: PushKeys,
    domains: Vec<String>,
}

impl Admission {
    /// `domains` that may be pushed to; any, where none is named. No key: nobody is asked for a signature.
    pub(crate) fn new(keys: PushKeys, domains: &[String]) -> Self {
        Self { keys, domains: domains.iter().map(|domain| domain.to_ascii_lowercase()).collect() }
    }

    /// Refuses a publish at `now_s`, in Unix seconds, that may not be.
    pub(crate) fn check(&self, identity: &Identity, now_s: u64) -> Result<(), Refusal> {
        let Identity { path, uris, auth_key, .. } = identity;
        let domain = path.domain();
        if !self.domains.is_empty() && !self.domains.iter().any(|allowed| allowed == domain) {
            let reason = anyhow::anyhow!("domain {domain} may not be pushed to");
            return Err(Refusal::denied(PublishRefused::Domain, reason));
        }
        if self.keys.is_empty() {
            return Ok(());
        }
        self.keys
            .check(domain, uris, auth_key.as_deref(), now_s)
            .map_err(|error| Refusal::denied(PublishRefused::Signature, error.into()))
    }
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
    use rtmp::Publish;

    use super::*;

    const NOW_S: u64 = 1_767_225_600;

    fn check(keys: &[(&str, &str)], domains: &[&str], name: &str) -> Result<(), String> {
        let mut push_keys = PushKeys::new(0);
        keys.iter().for_each(|(domain, key)| push_keys.add(domain, key).unwrap());
        let domains: Vec<_> = domains.iter().map(|&domain| domain.to_owned()).collect();
        let publish =
            Publish { tc_url: "rtmp://D.example/live".into(), app: "live".into(), name: name.into() };
        let identity = Identity::of(&publish, "").unwrap();
        Admission::new(push_keys, &domains)
            .check(&identity, NOW_S)
            .map_err(|refusal| format!("{}: {:#}", refusal.code, refusal.reason))
    }

    #[test]
    fn without_keys_and_domains_anybody_may_push() {
        assert_eq!(check(&[], &[], "x"), Ok(()));
        assert_eq!(check(&[], &[], "x?auth_key=nonsense"), Ok(()));
    }

    #[test]
    fn other_domains_are_denied() {
        assert_eq!(check(&[], &["e.example", "D.Example"], "x"), Ok(()));
        let refusal = "NetStream.Publish.Denied: domain f.example may not be pushed to";
        assert_eq!(check(&[], &["d.example"], "x?vhost=f.example"), Err(refusal.into()));
    }

    #[test]
    fn with_keys_a_publish_has_to_be_signed() {
        let keys = [("d.example", "k")];
        let signed = |uri, time_s, key| format!("x?auth_key={}", push_auth::sign(uri, time_s, key));
        assert_eq!(check(&keys, &[], &signed("/live/x", NOW_S, "k")), Ok(()));
        for (name, reason) in [
            ("x".to_owned(), "auth_key is missing"),
            (signed("/live/x", NOW_S, "l"), "auth_key is wrong"),
            (signed("/live/y", NOW_S, "k"), "auth_key is wrong"),
            (signed("/live/x", NOW_S - 1, "k"), "auth_key expired 1 s ago"),
            (signed("/live/x", NOW_S, "k") + "&vhost=e.example", "domain e.example has no push key"),
        ] {
            let refusal = check(&keys, &[], &name).unwrap_err();
            assert!(refusal.starts_with(&format!("NetStream.Publish.Denied: {reason}")), "{refusal}");
        }
    }
}
