//! Published vectors of both schemes, vectors with awkward characters, and what a claim must not get away with.
#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use acs::{AccessKey, Claim, Error, Keys, decode_parameters, v1, v3};

fn key(secret: &str) -> AccessKey {
    Keys::parse(&format!("testid:{secret}")).unwrap().find("testid").unwrap().clone()
}

fn v1_claim(method: &str, query: &str) -> Result<Claim, Error> {
    v1::claim(method, &decode_parameters(query)?)
}

const AWKWARD: &str = "Action=DescribeLiveRecordConfig&Version=2016-11-01&Format=JSON&AccessKeyId=testid\
    &SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=15215528852396\
    &Timestamp=2019-02-15T01:00:00Z&DomainName=live.example.com&AppName=*&StreamName=s+1~x";

#[test]
fn v1_signs_awkward_characters_by_method() {
    for (method, signature) in [
        ("GET", "aK0HpmrBCN/jEFd0nhthpGyTPpI="),
        ("POST", "oIHHwsxgfQX/Bz5hg4oY2VeCN3A="),
        ("get", "aK0HpmrBCN/jEFd0nhthpGyTPpI="),
    ] {
        let query = format!("{AWKWARD}&Signature={}", acs::encode(signature));
        assert_eq!(v1_claim(method, &query).unwrap().verify(&key("testsecret")), Ok(()), "{method}");
    }
}

#[test]
fn v1_shows_what_it_would_have_signed() {
    let query = "AccessKeyId=testid&Action=DescribeRegions&Format=XML&SignatureMethod=HMAC-SHA1\
        &SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&SignatureVersion=1.0\
        &Timestamp=2016-02-23T12:46:24Z&Version=2014-05-26&Signature=AAAA";
    assert_eq!(
        v1_claim("GET", query).unwrap().verify(&key("testsecret")),
        Err(Error::SignatureMismatch {
            string_to_sign: "GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML\
                %26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf\
                %26SignatureVersion%3D1.0%26Timestamp%3D2016-02-23T12%253A46%253A24Z\
                %26Version%3D2014-05-26"
                .into()
        })
    );
}

#[test]
fn v1_needs_each_of_its_parameters_once() {
    let query = format!("{AWKWARD}&Signature=AAAA");
    for name in
        ["AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp", "Signature"]
    {
        let without: Vec<_> =
            query.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
        assert_eq!(v1_claim("GET", &without.join("&")).unwrap_err(), Error::Missing { name });
        assert_eq!(
            v1_claim("GET", &(without.join("&") + &format!("&{name}="))).unwrap_err(),
            Error::Missing { name }
        );
        let pair = query.split('&').find(|pair| pair.starts_with(&format!("{name}="))).unwrap();
        assert_eq!(
            v1_claim("GET", &format!("{query}&{pair}")).unwrap_err(),
            Error::Duplicate { name: name.into() }
        );
    }
    assert!(matches!(
        v1_claim("GET", &query.replace("HMAC-SHA1", "NONE")).unwrap_err(),
        Error::Unexpected { name: "SignatureMethod", .. }
    ));
}

fn v3_request<'a>(
    query: &'a [(String, String)],
    headers: &'a [(String, String)],
    body: &'a [u8],
) -> v3::Request<'a> {
    v3::Request { method: "POST", path: "/", query, headers, body }
}

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SIGNED: &str = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";

fn v3_headers(signed: &str, signature: &str) -> Vec<(String, String)> {
    [
        ("host", "127.0.0.1:8080"),
        ("x-acs-action", "DescribeLiveRecordConfig"),
        ("x-acs-content-sha256", EMPTY_SHA256),
        ("x-acs-date", "2019-02-15T01:00:00Z"),
        ("x-acs-signature-nonce", "15215528852396"),
        ("x-acs-version", "2016-11-01"),
        (
            "authorization",
            &format!("ACS3-HMAC-SHA256 Credential=testid,SignedHeaders={signed},Signature={signature}"),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

const V3_SIGNATURE: &str = "85900a916a4b49b4acff2d0d83afd8262754a7504e47cbfd394e9992cb123ebb";

fn v3_query() -> Vec<(String, String)> {
    decode_parameters("StreamName=s+1~x&AppName=*&DomainName=live.example.com").unwrap()
}

#[test]
fn v3_signs_awkward_characters() {
    let (query, headers) = (v3_query(), v3_headers(SIGNED, V3_SIGNATURE));
    let claim = v3::claim(&v3_request(&query, &headers, b"")).unwrap();
    assert_eq!(claim.verify(&key("testsecret")), Ok(()));
    assert_eq!(claim.signed_at_s(), 1_550_192_400);
    assert_eq!(
        claim.verify(&key("other")),
        Err(Error::SignatureMismatch {
            string_to_sign: "ACS3-HMAC-SHA256\n\
                2cd029f6e68586d041336d8b6aab3234d055ea2afe4c08c1f0b8b17d722aea01"
                .into()
        })
    );
}

#[test]
fn v3_signs_as_it_verifies() {
    let query = v3_query();
    let mut headers = v3_headers("", "");
    headers.truncate(6);
    headers.reverse();
    let authorization =
        v3::authorization(&v3_request(&query, &headers, b""), "testid", "testsecret").unwrap();
    assert_eq!(
        authorization,
        format!("ACS3-HMAC-SHA256 Credential=testid,SignedHeaders={SIGNED},Signature={V3_SIGNATURE}")
    );
    assert_eq!(v3::content_sha256(b""), EMPTY_SHA256);
}

#[test]
fn v3_gives_the_published_signature() {
    let query =
        decode_parameters("ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai")
            .unwrap();
    let headers: Vec<_> = [
        ("host", "ecs.cn-shanghai.aliyuncs.com"),
        ("x-acs-action", "RunInstances"),
        ("x-acs-content-sha256", EMPTY_SHA256),
        ("x-acs-date", "2023-10-26T10:22:32Z"),
        ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
        ("x-acs-version", "2014-05-26"),
        (
            "authorization",
            &format!(
                "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders={SIGNED},\
                 Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
            ),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let claim = v3::claim(&v3_request(&query, &headers, b"")).unwrap();
    assert_eq!(claim.key_id(), "YourAccessKeyId");
    assert_eq!(claim.verify(&key("YourAccessKeySecret")), Ok(()));
}

#[test]
fn v3_demands_that_what_matters_is_signed() {
    let query = v3_query();
    for name in SIGNED.split(';') {
        let signed: Vec<_> = SIGNED.split(';').filter(|&other| other != name).collect();
        let headers = v3_headers(&signed.join(";"), V3_SIGNATURE);
        let error = v3::claim(&v3_request(&query, &headers, b"")).unwrap_err();
        assert!(matches!(error, Error::Missing { name: missing } if missing == name), "{error}");
    }
}

#[test]
fn v3_refuses_a_header_that_comes_twice() {
    let query = v3_query();
    for name in SIGNED.split(';').chain(["authorization"]) {
        let mut headers = v3_headers(SIGNED, V3_SIGNATURE);
        headers.push((name.into(), "x".into()));
        assert_eq!(
            v3::claim(&v3_request(&query, &headers, b"")).unwrap_err(),
            Error::Duplicate { name: name.into() }
        );
    }
}

#[test]
fn v3_refuses_a_body_that_was_not_signed() {
    let (query, headers) = (v3_query(), v3_headers(SIGNED, V3_SIGNATURE));
    let error = v3::claim(&v3_request(&query, &headers, b"x")).unwrap_err();
    assert!(matches!(error, Error::ContentHash { .. }), "{error}");
}

#[test]
fn v3_refuses_an_authorization_that_is_not_of_its_form() {
    let query = v3_query();
    for text in [
        "",
        "Bearer x",
        "ACS3-HMAC-SHA256",
        "ACS3-HMAC-SHA256 ",
        "ACS3-HMAC-SHA256x Credential=a,SignedHeaders=host,Signature=ab",
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host",
        "ACS3-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=ab",
        "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=ab,More=x",
        "ACS3-HMAC-SHA256 ,,,",
    ] {
        let mut headers = v3_headers(SIGNED, V3_SIGNATURE);
        headers.last_mut().unwrap().1 = text.into();
        let error = v3::claim(&v3_request(&query, &headers, b"")).unwrap_err();
        assert!(matches!(error, Error::Unexpected { .. } | Error::Missing { .. }), "{text}: {error}");
    }
}

#[test]
fn a_signature_that_is_no_signature_does_not_match() {
    let query = v3_query();
    for signature in ["zz", "00", &V3_SIGNATURE[..62], &format!("{V3_SIGNATURE}00")] {
        let headers = v3_headers(SIGNED, signature);
        let claim = v3::claim(&v3_request(&query, &headers, b"")).unwrap();
        assert!(
            matches!(claim.verify(&key("testsecret")), Err(Error::SignatureMismatch { .. })),
            "{signature}"
        );
    }
    for signature in ["%20", "AAA", "====", "é"] {
        let claim = v1_claim("GET", &format!("{AWKWARD}&Signature={signature}")).unwrap();
        assert!(
            matches!(claim.verify(&key("testsecret")), Err(Error::SignatureMismatch { .. })),
            "{signature}"
        );
    }
}

#[test]
fn the_window_is_15_minutes_either_way() {
    let claim = v1_claim("GET", &format!("{AWKWARD}&Signature=AAAA")).unwrap();
    let at = claim.signed_at_s();
    for now in [at, at - 900, at + 900] {
        assert_eq!(claim.check_time(now), Ok(()));
    }
    assert_eq!(claim.check_time(at + 901), Err(Error::Expired { distance_s: 901, direction: "ago" }));
    assert_eq!(claim.check_time(at - 901), Err(Error::Expired { distance_s: 901, direction: "ahead" }));
    assert!(claim.check_time(u64::MAX).is_err() && claim.check_time(0).is_err());
    assert!(
        claim.check_time(claim.nonce_expires_s()).is_ok()
            && claim.check_time(claim.nonce_expires_s() + 1).is_err()
    );
}

#[test]
fn a_nonce_belongs_to_its_key() {
    let id = |query: &str| {
        let claim = v1_claim("GET", &format!("{query}&Signature=AAAA")).unwrap();
        (claim.key_id().to_owned(), claim.nonce().to_owned())
    };
    let first = id(AWKWARD);
    assert_eq!(first, id(&AWKWARD.replace("s+1~x", "other")));
    assert_ne!(first, id(&AWKWARD.replace("testid", "testi2")));
    assert_ne!(first, id(&AWKWARD.replace("15215528852396", "15215528852397")));
    assert_eq!(first, id(&AWKWARD.replace("T01:00:00Z", "T01:00:01Z")));
    assert_eq!(first, ("testid".into(), "15215528852396".into()));
}
