use clap::Parser;
use push_auth::{Error, sign};

use super::*;

const URI: &str = "/live/x";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    ingest: IngestArgs,
}

fn ingest(options: &[&str]) -> IngestArgs {
    Cli::try_parse_from(["up"].iter().chain(options)).unwrap().ingest
}

fn keys(options: &[&str]) -> Result<PushKeys> {
    ingest(options).push_keys(&SettingsFile::default(), &["127.0.0.1:1935".parse().unwrap()])
}

/// Whether a URL that was signed with that key holds at `now_s`.
fn check(keys: &PushKeys, domain: &str, key: &str, now_s: u64) -> Result<(), Error> {
    keys.check(domain, &[URI], Some(&sign(URI, 0, key)), now_s)
}

#[test]
fn keys_come_from_options_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, "# rotation\n\n  d.example = spaced \r\n*=any\n").unwrap();
    let path = file.to_str().unwrap();
    let options =
        ["--push-key", "d.example=a=b,e.example=k", "--push-key", "d.example=c", "--push-key-file", path];
    let keys = keys(&options).unwrap();
    for (domain, key) in
        [("d.example", "a=b"), ("d.example", "c"), ("e.example", "k"), ("d.example", "spaced"), ("f", "any")]
    {
        assert_eq!(check(&keys, domain, key, 0), Ok(()), "{domain} {key}");
    }
    assert_eq!(check(&keys, "e.example", "any", 0), Err(Error::Wrong));
}

#[test]
fn a_url_holds_for_half_an_hour_unless_told() {
    for (options, holds_s) in
        [(&["--push-key", "d=k"][..], 1800), (&["--push-key", "d=k", "--push-validity", "0"], 0)]
    {
        let keys = keys(options).unwrap();
        assert_eq!(check(&keys, "d", "k", holds_s), Ok(()));
        assert_eq!(check(&keys, "d", "k", holds_s + 1), Err(Error::Expired { ago_s: 1 }));
    }
}

#[test]
fn a_key_that_cannot_be_used_is_named_by_its_place_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let path = file.to_str().unwrap();
    for (options, text, said) in [
        (&["--push-key", "d=k,hidden"][..], "", "key 2 of --push-key"),
        (&["--push-key", "=hidden"], "", "key 1 of --push-key"),
        (&["--push-key", "hidden="], "", "key 1 of --push-key"),
        (&["--push-key-file", path], "\nhidden", "line 2 of"),
        (&["--push-key-file", path], "# nothing", "has no key"),
        (&["--push-key-file", "/absent/keys"], "", "/absent/keys cannot be read"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = format!("{:#}", keys(options).unwrap_err());
        assert!(error.contains(said) && !error.contains("hidden"), "{options:?}: {error}");
    }
}

#[test]
fn what_is_set_to_nothing_is_not_set() {
    assert!(keys(&["--push-key", ""]).unwrap().is_empty());
    assert!(ingest(&["--push-domain", ""]).push_domains(&SettingsFile::default()).is_empty());
    assert_eq!(
        ingest(&["--push-domain", "d,e", "--push-domain", "f"]).push_domains(&SettingsFile::default()),
        ["d", "e", "f"]
    );
}

#[test]
fn networks_are_named_once_or_several_times_and_have_to_be_some() {
    let from = |options: &[&str]| ingest(options).push_from(&SettingsFile::default());
    let networks = from(&["--push-from", "10.0.0.0/8,192.0.2.7", "--push-from", "2001:db8::/32"]).unwrap();
    let expected = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"].map(|network| network.parse().unwrap());
    assert_eq!(networks, expected);
    assert!(from(&[]).unwrap().is_empty() && from(&["--push-from", ""]).unwrap().is_empty());
    let error = format!("{:#}", from(&["--push-from", "10.0.0.0/8,10.0.0.0/64"]).unwrap_err());
    assert!(error.contains("--push-from") && error.contains("10.0.0.0/64"), "{error}");
}

#[test]
fn what_others_reach_needs_keys_or_is_open() {
    let start = |rtmp: &str, options: &[&str]| {
        ingest(options)
            .push_keys(&SettingsFile::default(), &["127.0.0.1:1935".parse().unwrap(), rtmp.parse().unwrap()])
    };
    for rtmp in ["0.0.0.0:1935", "192.0.2.1:1935", "[::]:1935", "[2001:db8::1]:1935"] {
        let error = start(rtmp, &[]).unwrap_err().to_string();
        for said in [rtmp, "--push-key", "LIVE_RECORDER_PUSH_KEYS", "--open"] {
            assert!(error.contains(said), "{said}: {error}");
        }
        assert!(start(rtmp, &["--push-key", "", "--push-domain", "d"]).is_err());
        assert!(start(rtmp, &["--open"]).is_ok());
        assert!(start(rtmp, &["--push-key", "*=k"]).is_ok());
    }
    for rtmp in ["127.0.0.2:1935", "[::1]:1935"] {
        assert!(start(rtmp, &[]).is_ok());
    }
}
