//! Media that was kept for record files and never got into one.

use http::Method;
use shared::rules::{Container, Rule};
use shared::testing::{request_to, run};
use simulation::hosts::WORK_BUCKET;
use simulation::media;
use store::memory::Actor;

use crate::site::{Push, Site, long_cycles};

/// A rule with MP4 alone: media of each chunk is kept until its file is made.
fn mp4() -> Rule {
    let mut rule = long_cycles();
    let format = &mut rule.formats[0];
    (format.container, format.slices) = (Container::Mp4, None);
    rule
}

/// Where the media of a push's chunks is kept.
fn media_of(push: &Push, chunks: impl IntoIterator<Item = u64>) -> Vec<String> {
    let name = |seq| format!("{WORK_BUCKET}{}", naming::media_object(&push.session, seq));
    chunks.into_iter().map(name).collect()
}

fn kept(site: &Site) -> Vec<String> {
    site.any().buckets.names(&format!("{WORK_BUCKET}media/"))
}

/// A push's next chunk comes, and its call dies once its media is kept.
fn die_once_kept(site: &Site, push: &Push) {
    let world = site.any();
    world.now_ms.set(site.now_ms.get());
    let from_s = push.seq * 5;
    let bytes = media::chunk(from_s * 1_000, (from_s + 5) * 1_000);
    let mut request = request_to(Method::PUT, &format!("{}/chunks/{}", push.path, push.seq), bytes);
    let headers = request.headers_mut();
    headers.insert("x-push", "p".parse().unwrap());
    headers.insert("x-chunk-offset-ms", (from_s * 1_000).into());
    headers.insert("x-generation", push.generation.parse().unwrap());
    let mut call: Actor<'_, _> = Box::pin(recorder_remux_function::handler::handle(world, request));
    let name = media_of(push, [push.seq]);
    while !kept(site).contains(&name[0]) {
        assert!(site.go_on(&mut call, 1).is_none(), "it is answered before its media is kept");
    }
}

/// Lets time pass, and has record files made.
fn compose_after(site: &Site, seconds: u64) {
    site.seconds(seconds);
    let world = site.any();
    world.now_ms.set(site.now_ms.get());
    let request = request_to(Method::POST, "/compose", "{}");
    let answer = run(recorder_compose_function::handler::handle(world, request));
    assert!(answer.body().contains(r#""failures":[]"#), "{}", answer.body());
}

#[test]
fn media_of_a_chunk_whose_call_died_and_whose_gateway_lost_it_stays() {
    let site = Site::under(mp4());
    site.start("g", "spool.1");
    let mut push = site.begin("g", "cam");
    site.record(&mut push, 2);
    site.seconds(5);
    die_once_kept(&site, &push);
    assert_eq!(kept(&site), media_of(&push, 0..3));
    // A file would take what lies between its chunks with it, so this one is the last.
    site.lose(&push, 2, 10..15).unwrap();
    push.seq = 3;
    site.end(&push);
    for _ in 0..5 {
        compose_after(&site, 120);
    }
    // The file is made of the two that were committed, and their media is gone.
    let files = site.any().buckets.names("http://store/bkt/");
    assert!(matches!(&files[..], [file] if file.ends_with(".mp4")), "{files:?}");
    assert_eq!(kept(&site), media_of(&push, [2]));
    // Nor does anything come for the third one later on: within half a year all else of the push is gone.
    for _ in 0..190 {
        site.pass_ms(86_400_000);
        compose_after(&site, 10);
    }
    let mut left = site.any().buckets.names(WORK_BUCKET);
    left.retain(|name| !name.contains("/probe/"));
    assert_eq!(left, media_of(&push, [2]));
}
