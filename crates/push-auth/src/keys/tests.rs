use super::*;
use crate::sign;

const URI: &str = "/live/talk";
const TIME_S: u64 = 1_767_225_600;

fn keys(settings: &[(&str, &str)]) -> PushKeys {
    let mut keys = PushKeys::new(1800);
    settings.iter().for_each(|(domain, key)| keys.add(domain, key).unwrap());
    keys
}

fn check(keys: &PushKeys, domain: &str, auth_key: &str) -> Result<(), Error> {
    keys.check(domain, &[URI], Some(auth_key), TIME_S)
}

/// The example of Alibaba Cloud CDN's "Type A signing".
#[test]
fn the_example_of_the_documentation_is_right() {
    let uri = "/video/standard/1K.html";
    let auth_key = "1444435200-0-0-80cd3862d699b7118eed99103f2a3a4f";
    assert_eq!(sign(uri, 1_444_435_200, "aliyuncdnexp1234"), auth_key);
    let keys = keys(&[("cdn.example.com", "aliyuncdnexp1234")]);
    assert_eq!(keys.check("cdn.example.com", &[uri], Some(auth_key), 1_444_435_200), Ok(()));
}

/// Made by `printf %s … | md5sum`.
#[test]
fn random_parts_and_capitals_are_taken() {
    let keys = keys(&[("d", "secret-key")]);
    for auth_key in [
        "1767225600-477b3bbc253f467b8def6711128c7bec-u1-3bd6b714bd2c33f25ac9a409764ddf52",
        "1767225600-477b3bbc253f467b8def6711128c7bec-u1-3BD6B714BD2C33F25AC9A409764DDF52",
        "1767225600---dfe22919e27ce84e9f91a4c23f54e29a",
    ] {
        assert_eq!(check(&keys, "d", auth_key), Ok(()), "{auth_key}");
    }
}

#[test]
fn a_url_holds_until_its_time_and_the_validity_after_it() {
    let keys = keys(&[("d", "k")]);
    let auth_key = sign(URI, TIME_S, "k");
    let at = |now_s| keys.check("d", &[URI], Some(&auth_key), now_s);
    assert_eq!(at(0), Ok(()));
    assert_eq!(at(TIME_S + 1800), Ok(()));
    assert_eq!(at(TIME_S + 1801), Err(Error::Expired { ago_s: 1 }));
    let never = sign(URI, u64::MAX, "k");
    assert_eq!(keys.check("d", &[URI], Some(&never), u64::MAX), Ok(()));
}

#[test]
fn what_is_not_right_is_told_apart() {
    let keys = keys(&[("d", "k")]);
    assert_eq!(keys.check("d", &[URI], None, TIME_S), Err(Error::Missing));
    assert_eq!(check(&keys, "e", "x"), Err(Error::NoKey { domain: "e".into() }));

    let right = sign(URI, TIME_S, "k");
    for changed in ["1767225601", "01767225600"] {
        let wrong = right.replace("1767225600", changed);
        assert_eq!(check(&keys, "d", &wrong), Err(Error::Wrong), "{wrong}");
    }
    assert_eq!(check(&keys, "d", &sign("/live/other", TIME_S, "k")), Err(Error::Wrong));
    assert_eq!(check(&keys, "d", &sign(URI, TIME_S, "K")), Err(Error::Wrong));
    // One that is wrong as well as old is wrong: nothing of it may be believed.
    assert_eq!(check(&keys, "d", &sign(URI, 0, "other")), Err(Error::Wrong));

    let digest = right.rsplit_once('-').unwrap().1;
    for malformed in [
        String::new(),
        "-".into(),
        digest.into(),
        format!("{TIME_S}-0-{digest}"),
        format!("{TIME_S}-0-0-0-{digest}"),
        format!("-0-0-{digest}"),
        format!("+{TIME_S}-0-0-{digest}"),
        format!("18446744073709551616-0-0-{digest}"),
        right[..right.len() - 1].into(),
        format!("{right}0"),
        format!("{right}00"),
        format!("{TIME_S}-0-0-{}", "g".repeat(32)),
        format!("{TIME_S}-0-0-{}", "é".repeat(16)),
    ] {
        assert_eq!(check(&keys, "d", &malformed), Err(Error::Malformed), "{malformed:?}");
    }
}

#[test]
fn every_key_of_a_domain_holds_while_keys_are_changed() {
    let keys = keys(&[("d", "old"), ("D", "new")]);
    for (key, expected) in [("old", Ok(())), ("new", Ok(())), ("other", Err(Error::Wrong))] {
        assert_eq!(check(&keys, "d", &sign(URI, TIME_S, key)), expected);
    }
}

#[test]
fn keys_of_any_domain_are_for_those_without_their_own() {
    let keys = keys(&[("own.example", "own"), (ANY_DOMAIN, "any")]);
    let signed = |domain, key| check(&keys, domain, &sign(URI, TIME_S, key));
    assert_eq!(signed("OWN.example", "own"), Ok(()));
    assert_eq!(signed("own.example", "any"), Err(Error::Wrong));
    assert_eq!(signed("other.example", "any"), Ok(()));
    assert_eq!(signed("other.example", "own"), Err(Error::Wrong));
}

#[test]
fn any_way_to_write_the_path_may_be_signed() {
    let keys = keys(&[("d", "k")]);
    for uri in ["/live/%E7%9B%B4", "/live/直"] {
        let auth_key = sign(uri, TIME_S, "k");
        assert_eq!(keys.check("d", &["/live/%E7%9B%B4", "/live/直"], Some(&auth_key), TIME_S), Ok(()));
    }
    assert_eq!(keys.check("d", &[""; 0], Some(&sign("", TIME_S, "k")), TIME_S), Err(Error::Wrong));
}

#[test]
fn a_key_that_anybody_has_is_refused() {
    let mut keys = PushKeys::new(0);
    for (domain, key) in [("", "k"), ("d", ""), ("", "")] {
        assert_eq!(keys.add(domain, key), Err(Error::EmptyKey));
    }
    assert!(keys.is_empty());
    assert_eq!(check(&keys, "d", &sign(URI, TIME_S, "")), Err(Error::NoKey { domain: "d".into() }));
    keys.add("d", "k").unwrap();
    assert!(!keys.is_empty());
}

#[test]
fn no_key_is_shown() {
    let keys = keys(&[("d", "hidden"), ("*", "hidden")]);
    let shown = format!("{keys:?}");
    assert!(shown.contains("\"d\"") && !shown.contains("hidden"), "{shown}");
}
