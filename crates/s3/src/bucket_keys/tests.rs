use super::*;

fn keys(text: &str) -> BucketKeys {
    BucketKeys::parse(text).unwrap()
}

fn find(text: &str, endpoint: &str, name: &str) -> Result<Option<Credentials>, Error> {
    keys(text).find(&Bucket::new(endpoint, name).unwrap()).map(|found| found.cloned())
}

fn key(id: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials { id: id.into(), secret: secret.into(), token: token.map(Into::into) }
}

/// The key of an entry for the bucket asked for.
fn only(value: &str) -> Result<Credentials, Error> {
    find(&format!("s3.example.com/bkt={value}"), "s3.example.com", "bkt").map(Option::unwrap)
}

#[test]
fn no_text_is_no_key() {
    for text in ["", " \n", ",, ,"] {
        assert_eq!(find(text, "s3.example.com", "bkt"), Ok(None));
    }
}

#[test]
fn entries_are_separated_by_commas_and_by_lines() {
    let text = "s3.example.com/one=id1:secret1, s3.example.com/two=id2:secret2:token\n\
                127.0.0.1:9000/three=id3:secret3,\r\n  s3.example.com/fo*=id4:secret4\n";
    for (endpoint, name, expected) in [
        ("s3.example.com", "one", key("id1", "secret1", None)),
        ("https://s3.example.com/", "two", key("id2", "secret2", Some("token"))),
        ("http://127.0.0.1:9000", "three", key("id3", "secret3", None)),
        ("s3.example.com", "four", key("id4", "secret4", None)),
    ] {
        assert_eq!(find(text, endpoint, name), Ok(Some(expected)), "{endpoint} {name}");
    }
    for (endpoint, name) in
        [("s3.example.com", "three"), ("127.0.0.1:9001", "three"), ("example.com", "four")]
    {
        assert_eq!(find(text, endpoint, name), Ok(None), "{endpoint} {name}");
    }
}

#[test]
fn secrets_stand_as_they_are_but_for_what_separates() {
    let plain = "wJalr/XUtn+FEMI=K7MDENG==";
    assert_eq!(only(&format!("AKIA:{plain}")), Ok(key("AKIA", plain, None)));
    assert_eq!(only(&format!("STS.N:{plain}:{plain}")), Ok(key("STS.N", plain, Some(plain))));
    // Every printable character, the few that separate percent-encoded.
    let printable: String = (' '..='~').collect();
    let encoded = printable.replace('%', "%25").replace(' ', "%20").replace(',', "%2c").replace(':', "%3A");
    assert_eq!(only(&format!("id:{encoded}")), Ok(key("id", &printable, None)));
    assert_eq!(only("a%3Ab:%E7%9B%B4"), Ok(key("a:b", "直", None)));
}

#[test]
fn the_most_specific_pattern_counts_wherever_it_stands() {
    let entries = [
        "*/*=any:s",
        "*/logs=logs:s",
        "*.example.com/*=domain:s",
        "s3.example.com/*=host:s",
        "s3.example.com/logs-*=prefix:s",
        "s3.example.com/logs-eu=bucket:s",
    ];
    let reversed: Vec<&str> = entries.iter().rev().copied().collect();
    for text in [entries.join(","), reversed.join("\n")] {
        for (endpoint, name, id) in [
            ("s3.example.com", "logs-eu", "bucket"),
            ("S3.Example.com", "logs-us", "prefix"),
            ("s3.example.com", "other", "host"),
            ("eu.example.com", "other", "domain"),
            ("eu.example.com", "logs", "logs"),
            ("localhost", "other", "any"),
        ] {
            let found = find(&text, endpoint, name).unwrap().unwrap();
            assert_eq!(found.id, id, "{endpoint} {name}");
        }
    }
}

#[test]
fn an_entry_without_a_pattern_refuses_all() {
    for (text, entry) in [
        ("AKIA:secret", 1),
        ("s3.example.com/bkt=id:secret,the-secret", 2),
        ("s3.example.com=id:secret", 1),
        ("s3.example.com/=id:secret", 1),
        ("a.b/bkt=id:secret\nhttps://s3.example.com/bkt=id:secret", 2),
        ("s3.example.com:*/bkt=id:secret", 1),
        ("s3.example.com/b**=id:secret", 1),
        (", s3.example.com/bkt = id:secret", 1),
    ] {
        let error = BucketKeys::parse(text).unwrap_err();
        assert!(matches!(error, Error::KeyPattern { entry: found, .. } if found == entry), "{text}: {error}");
        assert!(error.to_string().starts_with(&format!("entry {entry} ")), "{error}");
    }
}

#[test]
fn a_wrong_key_is_told_where_its_pattern_counts_and_nowhere_else() {
    for value in [
        "",
        "id",
        "id:",
        ":secret",
        "id:secret:",
        "id:secret:token:more",
        "id:sec%ret",
        "id:secret%2",
        "id:%+1",
        "i%20d:secret",
        "i%0Ad:secret",
        "%C3%A4:secret",
        "id:%0D%0A",
        "id:%FF",
        "id:secret:to%0D%0Aken",
        "id:secret:to%20ken",
    ] {
        let text = format!("*/*=any:s,s3.example.com/*={value},s3.example.com/other=other:s");
        let error = find(&text, "s3.example.com", "bkt").unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with("entry 2, for \"s3.example.com/*\", has "), "{value}: {told}");
        for (endpoint, name, id) in [("s3.example.com", "other", "other"), ("localhost", "bkt", "any")] {
            assert_eq!(find(&text, endpoint, name), Ok(Some(key(id, "s", None))), "{value}");
        }
    }
}

#[test]
fn two_keys_for_one_pattern_are_refused_and_both_named() {
    // The host is the same in any case; neither key is taken, and a less specific one is not either.
    let text = "*/*=any:s,s3.example.com/b*=id1:s,*/other=other:s,S3.EXAMPLE.com/b*=id2:s";
    let error = find(text, "s3.example.com", "bkt").unwrap_err();
    assert_eq!(error, Error::KeyRepeated { first: 2, second: 4, pattern: "s3.example.com/b*".into() });
    assert_eq!(error.to_string(), "entries 2 and 4 both are for \"s3.example.com/b*\"");
    assert_eq!(find(text, "s3.example.com", "other"), Ok(Some(key("other", "s", None))));
    assert!(find("a.b/bkt=id:s,a.b/bkt=id:s", "a.b", "bkt").is_err());
    assert!(find("a.b/bkt=id:s,a.b/bkt=", "a.b", "bkt").is_err());
}

#[test]
fn neither_errors_nor_debugging_show_what_is_of_a_key() {
    const PARTS: [&str; 3] = ["Th3Id", "Th3Secret", "Th3Token"];
    let hides = |shown: String| {
        for part in PARTS {
            assert!(!shown.contains(part), "{shown}");
        }
    };
    let shown = format!("{:?}", keys("a.b/bkt=Th3Id:Th3Secret:Th3Token, c.d/*=Th3Id:Th3Secret"));
    assert_eq!(shown, "BucketKeys { entries: 2, .. }");
    // The rest of a token that was wrapped, which looks like a pattern.
    let wrapped = keys("a.b/bkt=Th3Id:Th3Secret:Th3Token\nrest/of-it==");
    assert!(!format!("{wrapped:#?}").contains("rest"), "{wrapped:#?}");
    for text in [
        // What lacks a pattern, or has too much of a key.
        "Th3Id:Th3Secret:Th3Token",
        "Th3Id:Th3/Secret=:Th3Token",
        "Th3Id/Th3Secret=Th3Token",
        "a.b/bkt=Th3Id:Th3Secret,Th3Secret:Th3Token",
        "a.b/bkt=Th3Id:Th3Secret:Th3Token=\nTh3Token/x=",
        "a.b/bkt=Th3Id:Th3Secret:Th3Token:",
        "a.b/bkt=Th3Id",
        "a.b/bkt=Th3Id:",
        "a.b/bkt=:Th3Secret",
        "a.b/bkt=Th3Id:Th3Secret%",
        "a.b/bkt=Th3Id:Th3Secret%FF",
        "a.b/bkt=Th3Id:Th3Secret%0A",
        "a.b/bkt=Th3Id%20:Th3Secret",
        "a.b/bkt=Th3Id:Th3Secret:Th3Token%0A",
        "a.b/bkt=Th3Id:Th3Secret,a.b/bkt=Th3Id:Th3Secret:Th3Token",
    ] {
        let parsed = BucketKeys::parse(text);
        hides(format!("{parsed:#?}"));
        let bucket = Bucket::new("a.b", "bkt").unwrap();
        let error = parsed.and_then(|keys| keys.find(&bucket).map(|found| found.cloned())).unwrap_err();
        hides(format!("{error} {error:?}"));
    }
}
