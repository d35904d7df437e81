use clap::Parser;
use push_auth::sign;

use super::*;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    ingest: IngestArgs,
    #[command(flatten)]
    admin: AdminArgs,
}

/// Settings of a gateway at an address of this machine, by options and the file of settings.
fn read(
    file: &Path,
    text: &str,
    ingest_token: Option<&str>,
    options: &[&str],
) -> Result<Arc<GatewaySettings>> {
    std::fs::write(file, text).unwrap();
    let of_file = ["gateway", "--settings", file.to_str().unwrap()];
    let Cli { ingest, admin } = Cli::try_parse_from(of_file.iter().chain(options)).unwrap();
    let publishers = vec!["127.0.0.1:1935".parse().unwrap()];
    GatewaySettings::read(Sources {
        ingest,
        admin,
        ingest_token: ingest_token.map(str::to_owned),
        publishers,
    })
}

const ALL: &str = r#"
ingest_token = "hidden-ingest"
admin_token = "hidden-admin"
push_domains = ["d.example"]
push_from = ["192.0.2.0/24", "2001:db8::1"]
push_keys = ["d.example=hidden-one", "*=hidden-two"]
push_validity = 60
proxy_from = ["10.0.0.0/8"]
default_domain = "e.example"
second_publisher = "takeover"
spool_limit = "2GiB"
max_connections = 100
max_connections_per_address = 10
"#;

#[test]
fn a_file_has_what_options_have_and_is_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let settings =
        read(&file, ALL, None, &["--push-from", "127.0.0.1", "--push-domain", "f.example"]).unwrap();
    let held = settings.control().settings();
    assert_eq!(
        (held.ingest_token.as_str(), held.admin_token.as_deref()),
        ("hidden-ingest", Some("hidden-admin"))
    );
    assert_eq!(held.push_domains, ["f.example", "d.example"]);
    let networks = |networks: &[::gateway::Network]| {
        networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(networks(&held.push_from), "127.0.0.1/32 192.0.2.0/24 2001:db8::1/128");
    assert_eq!(networks(&held.proxy_from), "10.0.0.0/8");
    let signed = sign("/live/x", 0, "hidden-one");
    assert!(held.push_keys.check("d.example", &["/live/x"], Some(&signed), 60).is_ok());
    assert!(held.push_keys.check("d.example", &["/live/x"], Some(&signed), 61).is_err());
    let config = settings.config(vec!["http://f".into()], None, None, Path::new("data"));
    assert_eq!(config.spool_limit_bytes, Some(2 << 30));
    assert_eq!((config.max_connections, config.max_connections_per_address), (Some(100), Some(10)));
    assert_eq!(config.default_domain.as_deref(), Some("e.example"));
    assert!(matches!(config.second_publisher, ::gateway::SecondPublisher::Takeover));

    let unchanged = settings.reload().unwrap();
    assert_eq!(unchanged, Reloaded { changed: Vec::new(), needs_restart: Vec::new() });
    let other =
        ALL.replace("hidden-one", "hidden-three").replace("2GiB", "3GiB").replace("e.example", "g.example");
    std::fs::write(&file, other).unwrap();
    let reloaded = settings.reload().unwrap();
    assert_eq!(reloaded.changed, ["push_keys"]);
    assert_eq!(reloaded.needs_restart, ["default_domain", "spool_limit"]);
    let held = settings.control().settings();
    assert!(held.push_keys.check("d.example", &["/live/x"], Some(&signed), 0).is_err());
    // They are told until the gateway is started anew, or they are as before.
    assert_eq!(settings.reload().unwrap().needs_restart, ["default_domain", "spool_limit"]);
}

#[test]
fn what_cannot_be_read_or_used_changes_nothing_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let admin = ["--admin", "127.0.0.1:0"];
    let settings = read(&file, ALL, None, &admin).unwrap();
    let before = settings.control().settings();
    for (text, said) in [
        ("push_keys = [\n", "settings.toml cannot be used"),
        ("\npush_keys = \"hidden\"\n", "line 2 of"),
        ("push_key = [\"hidden\"]\n", "unknown field `push_key`"),
        ("ingest_token = \"hidden\"\npush_keys = [\"d=k\", \"hidden\"]\n", "key 2 of push_keys"),
        ("ingest_token = \"hidden\"\npush_from = [\"10.0.0.0/64\"]\n", "push_from in the file"),
        ("ingest_token = \"hidden\"\nproxy_from = [\"proxy\"]\n", "proxy_from in the file"),
        ("ingest_token = \"hidden\"\nspool_limit = \"2 stone\"\n", "spool_limit in the file"),
        ("ingest_token = \"hidden\"\nadmin_token = \"\"\n", "admin_token in the file of --settings is empty"),
        ("ingest_token = \"hidden\\n\"\n", "ingest_token holds"),
        ("admin_token = \"hidden\"\n", "there is no ingest token"),
    ] {
        std::fs::write(&file, text).unwrap();
        let error = format!("{:#}", settings.reload().unwrap_err());
        assert!(error.contains(said) && !error.contains("hidden"), "{text}: {error}");
        assert!(*settings.control().settings() == *before, "{text}");
    }
    std::fs::remove_file(&file).unwrap();
    let error = format!("{:#}", settings.reload().unwrap_err());
    assert!(error.contains("settings.toml cannot be read"), "{error}");
    assert!(*settings.control().settings() == *before);
}

#[test]
fn a_setting_stands_in_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    for (text, token, options, name) in [
        ("ingest_token = \"a\"", Some("b"), &[][..], "ingest_token"),
        ("admin_token = \"a\"", Some("b"), &["--admin-token", "b"], "admin_token"),
        ("push_validity = 1", Some("b"), &["--push-validity", "1"], "push_validity"),
        ("max_connections = 1", Some("b"), &["--max-connections", "1"], "max_connections"),
    ] {
        let error = format!("{:#}", read(&file, text, token, options).err().unwrap());
        assert!(error.starts_with(&format!("{name} is in the file of --settings, and")), "{error}");
    }
    assert!(read(&file, "admin_token = \"a\"", Some("b"), &["--admin-token", ""]).is_ok());
}

#[test]
fn an_operators_address_that_others_reach_keeps_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    let admin = ["--admin", "0.0.0.0:0"];
    assert!(read(&file, "", Some("t"), &admin).is_err());
    let settings = read(&file, "admin_token = \"a\"", Some("t"), &admin).unwrap();
    std::fs::write(&file, "").unwrap();
    let error = format!("{:#}", settings.reload().unwrap_err());
    assert!(error.contains("admin_token") && error.contains("0.0.0.0:0"), "{error}");
    assert_eq!(settings.control().settings().admin_token.as_deref(), Some("a"));
}

#[test]
fn without_a_file_there_is_nothing_to_read() {
    let Cli { ingest, admin } = Cli::try_parse_from(["gateway"]).unwrap();
    let sources = Sources { ingest, admin, ingest_token: Some("t".into()), publishers: Vec::new() };
    let error = GatewaySettings::read(sources).unwrap().reload().unwrap_err().to_string();
    assert!(error.starts_with("nothing is read from a file"), "{error}");
}
