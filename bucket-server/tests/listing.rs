//! Lists, against the plain sorted list of keys: every page size, prefix and delimiter.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use http::StatusCode;
use percent_encoding::percent_decode_str;

use crate::client::{call, elements, put, serve};
use crate::objects::odd_keys;

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

/// A key in a query: the slash is encoded there.
fn value(text: &str) -> String {
    crate::client::encoded(text).replace('/', "%2F")
}

/// All pages of a list: keys and common prefixes.
async fn list(address: SocketAddr, prefix: &str, delimiter: &str, max: usize) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut prefixes) = (Vec::new(), Vec::new());
    let mut token: Option<String> = None;
    loop {
        let mut query = String::new();
        if let Some(token) = &token {
            query = format!("continuation-token={}&", value(token));
        }
        if !delimiter.is_empty() {
            query += &format!("delimiter={}&", value(delimiter));
        }
        query += &format!("encoding-type=url&list-type=2&max-keys={max}&prefix={}", value(prefix));
        let page = call(address, "GET", &format!("/bucket?{query}"), &[], "").await;
        assert_eq!(page.status(), StatusCode::OK, "{page:?}");
        assert_eq!(elements(&page, "EncodingType"), ["url"]);
        let found: Vec<String> = elements(&page, "Key").iter().map(|key| decoded(key)).collect();
        // The first is the prefix that was asked for.
        let common = elements(&page, "CommonPrefixes")
            .into_iter()
            .map(|prefix| decoded(prefix.trim_start_matches("<Prefix>").trim_end_matches("</Prefix>")));
        let count = found.len();
        keys.extend(found);
        let before = prefixes.len();
        prefixes.extend(common);
        let count = count + prefixes.len() - before;
        assert_eq!(elements(&page, "KeyCount"), [count.to_string()]);
        let more = elements(&page, "IsTruncated") == ["true"];
        assert!(count == max || (count < max && !more), "{count} of {max}");
        token = elements(&page, "NextContinuationToken").pop();
        assert_eq!(token.is_some(), more);
        if !more {
            return (keys, prefixes);
        }
    }
}

fn expected(all: &[String], prefix: &str, delimiter: &str) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut prefixes) = (Vec::new(), BTreeSet::new());
    for key in all.iter().filter(|key| key.starts_with(prefix)) {
        match key[prefix.len()..].find(delimiter) {
            Some(at) if !delimiter.is_empty() => {
                prefixes.insert(key[..prefix.len() + at + delimiter.len()].to_owned());
            }
            _ => keys.push(key.clone()),
        }
    }
    (keys, prefixes.into_iter().collect())
}

#[tokio::test]
async fn lists_have_every_key_once_in_pages_of_any_size() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    let mut all = odd_keys();
    for key in &all {
        put(address, &format!("/bucket/{}", crate::client::encoded(key)), "x").await;
    }
    all.sort_unstable();
    for prefix in ["", "a", "a/", "a/b", "直", "直播/", "k", ".", "/", "absent"] {
        for delimiter in ["", "/", "b", "+b"] {
            for max in [1, 2, 7, 1000] {
                let found = list(address, prefix, delimiter, max).await;
                assert_eq!(found, expected(&all, prefix, delimiter), "{prefix:?} {delimiter:?} {max}");
            }
        }
    }
}

#[tokio::test]
async fn a_list_begins_after_a_key_or_a_marker() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    for key in ["a", "b/1", "b/2", "c"] {
        put(address, &format!("/bucket/{key}"), "x").await;
    }
    let keys = async |query: &str| {
        let page = call(address, "GET", &format!("/bucket?{query}"), &[], "").await;
        assert_eq!(page.status(), StatusCode::OK, "{page:?}");
        elements(&page, "Key")
    };
    assert_eq!(keys("list-type=2&start-after=b%2F1").await, ["b/2", "c"]);
    assert_eq!(keys("marker=b%2F1").await, ["b/2", "c"]);
    assert_eq!(keys("delimiter=%2F&marker=b%2F").await, ["c"]);
    assert!(keys("list-type=2&max-keys=0").await.is_empty());
    let page = call(address, "GET", "/bucket?delimiter=%2F&max-keys=2", &[], "").await;
    assert_eq!(elements(&page, "NextMarker"), ["b/"]);
    for query in ["continuation-token=zz&list-type=2", "list-type=2&max-keys=-1"] {
        let refused = call(address, "GET", &format!("/bucket?{query}"), &[], "").await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn an_object_in_a_list_has_its_size_and_tag() {
    let directory = tempfile::tempdir().unwrap();
    let address = serve(directory.path()).await;
    put(address, "/bucket/a", "hello").await;
    let page = call(address, "GET", "/bucket?list-type=2", &[], "").await;
    assert_eq!(elements(&page, "Size"), ["5"]);
    assert_eq!(elements(&page, "ETag"), ["\"5d41402abc4b2a76b9719d911017c592\""]);
    let buckets = call(address, "GET", "/", &[], "").await;
    assert_eq!(elements(&buckets, "Name"), ["bucket"]);
}
