//! Settings that change while pushes are live.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use flv::TagKind;
use gateway::{
    Config, Control, Settings,
    admin::{Admin, Reload, Reloaded},
};
use push_auth::{PushKeys, sign};
use serde_json::json;

use crate::{
    Gateway, control,
    entrances::Both,
    fake::{Fake, TOKEN},
    functions,
    media::{AUDIO_HEADER, VIDEO_HEADER},
    operation::{Operator, admin},
    publisher::Publisher,
};

/// Long after any test; no clock has to be read.
const FAR_S: u64 = 1 << 40;
const HERE: [u8; 4] = [127, 0, 0, 1];

fn keys(key: &str) -> PushKeys {
    let mut keys = PushKeys::new(0);
    keys.add("*", key).unwrap();
    keys
}

async fn gateway(functions: &Fake, folder: &Path, control: &Control) -> Gateway {
    let control = control.clone();
    let spool = folder.join("spool");
    Gateway::configured(&functions.url(), &spool, |config| Config { control, ..config }).await
}

/// Publishes a stream under a URL that is signed by a key; answers why it is refused.
async fn publish(gateway: &Gateway, name: &str, key: &str) -> Result<Publisher, String> {
    let auth_key = sign(&format!("/live/{name}"), FAR_S, key);
    Publisher::start_from(HERE, gateway, &format!("{name}?auth_key={auth_key}")).await
}

/// Sends a second's worth of one picture and one sound.
async fn send(publisher: &mut Publisher, second: u32) {
    if second == 0 {
        publisher.tag(TagKind::Video, 0, &VIDEO_HEADER);
        publisher.tag(TagKind::Audio, 0, &AUDIO_HEADER);
    }
    publisher.tag(TagKind::Video, 1_000 * second, &[0x17, 1, 0, 0, 0, second as u8]);
    publisher.tag(TagKind::Audio, 1_000 * second, &[0xaf, 1, second as u8]);
    publisher.flush().await;
}

fn change(control: &Control, to: impl FnOnce(Settings) -> Settings) -> Vec<&'static str> {
    control.change(to((*control.settings()).clone())).unwrap()
}

#[tokio::test]
async fn another_key_holds_at_once_and_no_live_push_notices() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let control = control(Settings { push_keys: keys("old"), ..Settings::default() });
    let gateway = gateway(&functions, folder.path(), &control).await;
    let mut live = publish(&gateway, "x", "old").await.unwrap();
    send(&mut live, 0).await;
    assert!(publish(&gateway, "y", "new").await.is_err());
    assert_eq!(change(&control, |settings| Settings { push_keys: keys("new"), ..settings }), ["push_keys"]);
    let refused = publish(&gateway, "y", "old").await.err().unwrap();
    assert!(refused.contains("auth_key is wrong"), "{refused}");
    publish(&gateway, "y", "new").await.unwrap().finish().await;
    let elsewhere = Settings {
        push_domains: vec!["other.example".into()],
        push_from: vec!["192.0.2.0/24".parse().unwrap()],
        ..(*control.settings()).clone()
    };
    assert_eq!(change(&control, |_| elsewhere), ["push_domains", "push_from"]);
    assert!(publish(&gateway, "y", "new").await.is_err(), "it is sent away at once");
    change(&control, |settings| Settings { push_from: Vec::new(), ..settings });
    let refused = publish(&gateway, "y", "new").await.err().unwrap();
    assert!(refused.contains("domain h may not be pushed to"), "{refused}");
    send(&mut live, 1).await;
    live.finish().await;
    let session = functions.ended(1).await.remove(0);
    assert_eq!(crate::media::frames(&session.chunks).len(), 4);
    gateway.stop().await;
}

#[tokio::test]
async fn the_functions_are_shown_another_token_from_the_next_call_on() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let control = control(Settings::default());
    let gateway = gateway(&functions, folder.path(), &control).await;
    let mut live = Publisher::start_from(HERE, &gateway, "x").await.unwrap();
    send(&mut live, 0).await;
    functions.until("the session", |log| log.sessions.len() == 1).await;
    functions.log().token = Some("another");
    send(&mut live, 1).await;
    assert_eq!(
        change(&control, |settings| Settings { ingest_token: "another".into(), ..settings }),
        ["ingest_token"]
    );
    send(&mut live, 2).await;
    live.finish().await;
    let session = functions.ended(1).await.remove(0);
    assert_eq!(crate::media::frames(&session.chunks).len(), 6);
    gateway.stop().await;
}

#[tokio::test]
async fn another_proxy_is_trusted_from_its_next_connection_on() {
    let folder = tempfile::tempdir().unwrap();
    let functions = functions().await;
    let control = control(Settings::default());
    let gateway = Both::start(&functions, folder.path(), control.clone(), "").await;
    let start = |name: &'static str| Publisher::start_at(HERE, gateway.plain, name);
    let live = start("x").await.unwrap();
    let here = || vec!["127.0.0.1".parse().unwrap()];
    assert_eq!(change(&control, |settings| Settings { proxy_from: here(), ..settings }), ["proxy_from"]);
    assert!(start("y").await.is_err(), "it has to say whose connection it is");
    change(&control, |settings| Settings { proxy_from: Vec::new(), ..settings });
    start("y").await.unwrap().finish().await;
    live.finish().await;
    gateway.stop().await;
}

/// Reads settings as a test wants.
struct Scripted {
    control: Control,
    fails: AtomicBool,
}

impl Reload for Scripted {
    fn reload(&self) -> anyhow::Result<Reloaded> {
        anyhow::ensure!(!self.fails.load(Ordering::Relaxed), "line 3 is no setting");
        let settings = Settings { admin_token: Some("new".into()), ..(*self.control.settings()).clone() };
        let changed = self.control.change(settings)?.into_iter().map(str::to_owned).collect();
        Ok(Reloaded { changed, needs_restart: vec!["spool_limit".into()] })
    }
}

#[tokio::test]
async fn an_operator_has_settings_read_anew_and_is_told_what_came_of_it() {
    let control = control(Settings { admin_token: Some("old".into()), ..Settings::default() });
    let scripted = Arc::new(Scripted { control: control.clone(), fails: AtomicBool::new(true) });
    let reload: Arc<dyn Reload> = scripted.clone();
    let admin = Admin { reload: Some(reload), ..admin(control.clone()) };
    let mut operator = Operator::of(admin, Some("old")).await;
    let body = json!({});
    let (status, answer) = operator.json("POST", "/reload", Some(&body)).await;
    assert_eq!((status, answer["message"].as_str()), (422, Some("line 3 is no setting")));
    assert_eq!(control.settings().admin_token.as_deref(), Some("old"));
    scripted.fails.store(false, Ordering::Relaxed);
    assert_eq!(operator.ask("GET", "/reload", None).await.0, 405);
    let answer = operator.json("POST", "/reload", Some(&body)).await;
    assert_eq!(answer, (200, json!({ "changed": ["admin_token"], "needs_restart": ["spool_limit"] })));
    assert_eq!(operator.ask("GET", "/publishers", None).await.0, 401);
    operator.token = Some("new".into());
    assert_eq!(operator.ask("GET", "/publishers", None).await.0, 200);
    // Where settings come from nowhere there is nothing to read.
    let without = Operator::start(None).await;
    assert_eq!(without.ask("POST", "/reload", Some(&body)).await.0, 404);
    assert_eq!(control.settings().ingest_token, TOKEN);
}
