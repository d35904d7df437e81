//! How stores are addressed: by what is known of their hosts, by settings, and by what they answered.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// The region of stores that know none.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

/// How many regions are remembered.
const MAX_LEARNED: usize = 1000;

/// Where a bucket's name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// In the host: `bucket.host/key`.
    VirtualHosted,
    /// In the path: `host/bucket/key`.
    Path,
}

/// What stores with a name of their own expect: the style, and the region where the host names it.
pub(crate) fn known(host: &str) -> Option<(Style, &str)> {
    use Style::{Path, VirtualHosted};
    let under = |domain: &str| host.strip_suffix(domain)?.strip_suffix('.');
    if let Some(labels) = under("aliyuncs.com") {
        let label = labels.rsplit('.').next().unwrap_or(labels);
        let region = label.strip_prefix("oss-").unwrap_or(label);
        return Some((VirtualHosted, region.strip_suffix("-internal").unwrap_or(region)));
    }
    if let Some(labels) = under("amazonaws.com").or_else(|| under("amazonaws.com.cn")) {
        let labels = labels.strip_suffix(".dualstack").unwrap_or(labels);
        let last = labels.rsplit('.').next().unwrap_or(labels);
        let region = match last.strip_prefix("s3-") {
            Some("accelerate") => DEFAULT_REGION,
            Some(region) => region,
            None if last == "s3" => DEFAULT_REGION,
            None => last,
        };
        return Some((VirtualHosted, region));
    }
    if under("r2.cloudflarestorage.com").is_some() || host == "storage.googleapis.com" {
        return Some((Path, "auto"));
    }
    if host == "s3.wasabisys.com" {
        return Some((VirtualHosted, DEFAULT_REGION));
    }
    for (domain, first) in [
        ("wasabisys.com", "s3."),
        ("backblazeb2.com", "s3."),
        ("scw.cloud", "s3."),
        ("digitaloceanspaces.com", ""),
        ("myqcloud.com", "cos."),
        ("tencentcos.cn", "cos."),
    ] {
        let region = under(domain).and_then(|labels| labels.strip_prefix(first));
        if let Some(region) = region.filter(|region| !region.contains('.')) {
            return Some((VirtualHosted, region));
        }
    }
    None
}

/// Settings for endpoints: `host=region`, `host=region/path`, `host=/virtual-hosted`, separated by commas.
///
/// A host has its port where the endpoint has one; `*.example.com` is every host below that domain, of which the
/// longest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints(Vec<(String, Option<String>, Option<Style>)>);

impl Endpoints {
    /// Reads settings; no text is no setting.
    ///
    /// # Errors
    /// [`Error::Setting`] for an entry that is not one.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries
            .map(|entry| parse(entry).ok_or_else(|| Error::Setting(entry.into())))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The region and the style that are set for `host`.
    pub(crate) fn find(&self, host: &str) -> (Option<&str>, Option<Style>) {
        let matches = |pattern: &str| match pattern.strip_prefix('*') {
            Some(domain) => host.ends_with(domain),
            None => host == pattern,
        };
        // No domain that a host lies below is as long as the host.
        let found = self.0.iter().filter(|(pattern, ..)| matches(pattern));
        let found = found.max_by_key(|(pattern, ..)| (!pattern.starts_with('*'), pattern.len()));
        found.map_or((None, None), |(_, region, style)| (region.as_deref(), *style))
    }
}

fn parse(entry: &str) -> Option<(String, Option<String>, Option<Style>)> {
    let (host, value) = entry.split_once('=')?;
    let (region, style) = value.split_once('/').unwrap_or((value, ""));
    let style = match style {
        "" => None,
        "path" => Some(Style::Path),
        "virtual-hosted" => Some(Style::VirtualHosted),
        _ => return None,
    };
    let plain = host.strip_prefix("*.").unwrap_or(host);
    let is_host = !plain.is_empty() && !plain.contains(['*', '/', ' ', '@']);
    let is_region = region.is_empty() || is_region(region);
    (is_host && is_region).then(|| (host.into(), (!region.is_empty()).then(|| region.into()), style))
}

fn is_region(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Regions that stores have told, by host.
#[derive(Debug, Default)]
pub struct Regions(Mutex<BTreeMap<String, String>>);

impl Regions {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The region that the bucket at this host was said to lie in.
    pub(crate) fn get(&self, authority: &str, root: &str) -> Option<String> {
        let regions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        regions.get(&format!("{authority}{root}")).cloned()
    }

    /// Remembers it. Answers whether it is a region, and news.
    pub(crate) fn learn(&self, authority: &str, root: &str, region: &str) -> bool {
        let mut regions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if regions.len() >= MAX_LEARNED {
            regions.clear();
        }
        is_region(region)
            && regions.insert(format!("{authority}{root}"), region.into()).as_deref() != Some(region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hosts_say_their_region() {
        use Style::{Path, VirtualHosted};
        for (host, style, region) in [
            ("oss-cn-shanghai.aliyuncs.com", VirtualHosted, "cn-shanghai"),
            ("oss-cn-beijing-internal.aliyuncs.com", VirtualHosted, "cn-beijing"),
            ("s3.oss-cn-beijing.aliyuncs.com", VirtualHosted, "cn-beijing"),
            ("s3.us-west-2.amazonaws.com", VirtualHosted, "us-west-2"),
            ("s3.dualstack.eu-west-1.amazonaws.com", VirtualHosted, "eu-west-1"),
            ("s3-eu-west-1.amazonaws.com", VirtualHosted, "eu-west-1"),
            ("s3-accelerate.amazonaws.com", VirtualHosted, "us-east-1"),
            ("s3.amazonaws.com", VirtualHosted, "us-east-1"),
            ("s3.cn-north-1.amazonaws.com.cn", VirtualHosted, "cn-north-1"),
            ("0123.r2.cloudflarestorage.com", Path, "auto"),
            ("0123.eu.r2.cloudflarestorage.com", Path, "auto"),
            ("s3.wasabisys.com", VirtualHosted, "us-east-1"),
            ("s3.eu-central-1.wasabisys.com", VirtualHosted, "eu-central-1"),
            ("s3.us-west-004.backblazeb2.com", VirtualHosted, "us-west-004"),
            ("s3.fr-par.scw.cloud", VirtualHosted, "fr-par"),
            ("ams3.digitaloceanspaces.com", VirtualHosted, "ams3"),
            ("cos.ap-guangzhou.myqcloud.com", VirtualHosted, "ap-guangzhou"),
            ("cos.ap-guangzhou.tencentcos.cn", VirtualHosted, "ap-guangzhou"),
            ("storage.googleapis.com", Path, "auto"),
        ] {
            assert_eq!(known(host), Some((style, region)), "{host}");
        }
        for host in ["minio.example.com", "aliyuncs.com", "evil-aliyuncs.com", "localhost"] {
            assert_eq!(known(host), None, "{host}");
        }
    }

    #[test]
    fn the_most_specific_setting_counts() {
        let text =
            "*.example.com=garage, *.a.example.com=/virtual-hosted,s3.a.example.com=eu/path,10.0.0.1:9000=x";
        let endpoints = Endpoints::parse(text).unwrap();
        assert_eq!(endpoints.find("s3.example.com"), (Some("garage"), None));
        assert_eq!(endpoints.find("x.a.example.com"), (None, Some(Style::VirtualHosted)));
        assert_eq!(endpoints.find("s3.a.example.com"), (Some("eu"), Some(Style::Path)));
        assert_eq!(endpoints.find("10.0.0.1:9000"), (Some("x"), None));
        for host in ["example.com", "10.0.0.1", "other"] {
            assert_eq!(endpoints.find(host), (None, None), "{host}");
        }
        assert_eq!(Endpoints::parse(" "), Ok(Endpoints::default()));
        for entry in ["host", "=region", "host=a b", "host=x/other", "*=x", "a*b=x", "https://host=x"] {
            assert_eq!(Endpoints::parse(entry), Err(Error::Setting(entry.into())));
        }
    }

    #[test]
    fn a_region_is_news_once() {
        let regions = Regions::new();
        assert!(regions.learn("host", "/a/", "garage"));
        assert!(!regions.learn("host", "/a/", "garage"));
        assert!(regions.learn("host", "/a/", "other"));
        assert!(!regions.learn("host", "/b/", "no region"));
        assert_eq!(regions.get("host", "/a/").as_deref(), Some("other"));
        assert_eq!(regions.get("host", "/b/"), None);
    }
}
