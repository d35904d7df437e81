use super::*;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"app\"\n";

fn parse(body: &str) -> Result<Manifest> {
    Manifest::parse(&format!("{HEAD}{body}"), PathBuf::new())
}

/// `body` is refused with an error that names `field`.
fn check_refused(body: &str, field: &str) {
    let error = format!("{:#}", parse(body).unwrap_err());
    assert!(error.contains(field), "{error}");
}

#[test]
fn everything_supported_is_read() {
    let manifest = parse(
        r#"
        version = "0.1.0"
        description = "d"
        authors = ["a"]

        [variables]
        token = { required = true, secret = true }
        hosts = { default = "http://127.0.0.1:9000" }

        [[trigger.http]]
        route = "/..."
        component = "function"

        [component.function]
        source = "function.wasm"
        description = "d"
        key_value_stores = ["default"]
        allowed_outbound_hosts = ["{{ hosts }}"]
        variables = { token = "{{ token }}" }
        [component.function.build]
        command = "cargo build"
        [component.function.dependencies]
        "demo:mux/mux@0.1.0" = { path = "mux.wasm" }
        "demo:store/store@0.1.0" = { path = "store.wasm", inherit_configuration = ["key_value_stores"] }
        "demo:all/all@0.1.0" = { path = "all.wasm", inherit_configuration = true }
        "#,
    )
    .unwrap();
    assert_eq!(manifest.name, "app");
    assert!(manifest.variables["token"].required && manifest.variables["token"].secret);
    assert_eq!(manifest.triggers[0].route, "/...");
    let function = &manifest.components["function"];
    assert_eq!(function.allowed_outbound_hosts, ["{{ hosts }}"]);
    let inherits: Vec<_> = function
        .dependencies
        .iter()
        .map(|(name, dependency)| (name.to_string(), &dependency.inherit))
        .collect();
    assert_eq!(
        inherits,
        [
            ("demo:all/all@0.1.0".to_owned(), &Inherit::All),
            ("demo:mux/mux@0.1.0".to_owned(), &Inherit::none()),
            ("demo:store/store@0.1.0".to_owned(), &Inherit::Some(vec![Capability::KeyValueStores])),
        ]
    );
}

#[test]
fn unsupported_fields_are_named() {
    check_refused("[component.x]\nsource = \"x.wasm\"\nfiles = [\"a\"]", "files");
    check_refused("[component.x]\nsource = \"x.wasm\"\nsqlite_databases = [\"default\"]", "sqlite_databases");
    check_refused("[component.x]\nsource = { url = \"https://x\", digest = \"y\" }", "source");
    check_refused("[[trigger.redis]]\naddress = \"x\"", "redis");
    check_refused("[[trigger.http]]\nroute = { private = true }\ncomponent = \"x\"", "route");
    check_refused("[application.trigger.http]\nbase = \"/\"", "trigger");
    check_refused(
        "[component.x]\nsource = \"x.wasm\"\n[component.x.dependencies]\n\"a:b/c@0.1.0\" = { package = \"a\", version = \"1\" }",
        "package",
    );
}

#[test]
fn an_unknown_capability_set_is_named_with_its_dependency() {
    let body = "[component.x]\nsource = \"x.wasm\"\n[component.x.dependencies]\n\"a:b/c@0.1.0\" = { path = \"y\", inherit_configuration = [\"key_values\"] }";
    check_refused(body, "key_values");
    check_refused(body, "a:b/c@0.1.0");
}

#[test]
fn other_versions_and_stores_are_refused() {
    let error = Manifest::parse("spin_manifest_version = 1\n[application]\nname = \"x\"", PathBuf::new());
    assert!(error.unwrap_err().to_string().contains("spin_manifest_version"));
    check_refused("[component.x]\nsource = \"x.wasm\"\nkey_value_stores = [\"cache\"]", "cache");
}

#[test]
fn a_route_without_its_component_is_refused() {
    check_refused("[[trigger.http]]\nroute = \"/\"\ncomponent = \"absent\"", "absent");
}

#[test]
fn a_variable_is_required_or_has_a_default() {
    check_refused("[variables]\na = { required = true, default = \"x\" }", "\"a\"");
    check_refused("[variables]\na = { secret = true }", "\"a\"");
}
