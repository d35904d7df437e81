//! Who may push, and which pushes are to end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use protocol::{
    AskAdmission, BeginSession, Call, Heartbeat, HeartbeatAnswer, Problem, SessionAnswer, StreamPath,
};
use recorder_on_demand_function::handler::handle;
use rules::{Forbidden, Triple, forbidden};
use shared::testing::{World, read, request, rule, run};
use shared::{Catalog, Denial, work_bucket};

const NOW_S: u64 = 1_767_225_600;

fn stream(domain: &str) -> StreamPath {
    StreamPath::new(domain, "live", "cam").unwrap()
}

/// A world at [`NOW_S`] with a rule, whose work bucket was found fit.
fn world() -> World {
    let world = World::at(NOW_S * 1_000);
    *world.rule.borrow_mut() = Ok(Some(rule()));
    run(world.note_probed(&run(work_bucket(&world)).unwrap())).unwrap();
    world
}

fn forbid(world: &World, since_s: u64, until_s: u64) {
    let stream = Triple { domain: "live.example.com".into(), app: "live".into(), stream: "cam".into() };
    run(forbidden::add(&*world.store, Forbidden { stream, since_s, until_s })).unwrap();
}

/// The status, and of a refusal its code and its reason.
fn ask(world: &World, domain: &str) -> (u16, String, String) {
    let ask = AskAdmission {
        gateway: "gateway-1".into(),
        client: "192.0.2.1:50000".into(),
        arguments: [("k".into(), "v".into())].into(),
    };
    let ask = serde_json::to_vec(&ask).unwrap();
    let answer = run(handle(world, request(&AskAdmission::route(stream(domain)), ask)));
    let status = answer.status().as_u16();
    if status == 204 {
        assert_eq!(answer.body(), "");
        return (status, String::new(), String::new());
    }
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Problem = serde_json::from_str(answer.body()).unwrap();
    (status, problem.code, problem.message)
}

fn admitted() -> (u16, String, String) {
    (204, String::new(), String::new())
}

#[test]
fn any_domain_may_be_pushed_to_unless_some_are_named() {
    let world = world();
    let before = world.store.keys();
    assert_eq!(ask(&world, "live.example.com"), admitted());
    world.set_variable("push_domains", "other.example.com,LIVE.example.com");
    assert_eq!(ask(&world, "live.example.com"), admitted());
    let refused = (403, "DomainNotAllowed".into(), "domain third.example.com may not be pushed to".into());
    assert_eq!(ask(&world, "third.example.com"), refused);
    assert_eq!(world.store.keys(), before, "nothing comes of asking");
}

#[test]
fn a_forbidden_stream_may_not_be_pushed_until_its_time() {
    let world = world();
    forbid(&world, NOW_S, NOW_S + 60);
    let reason = "live.example.com/live/cam is forbidden until 2026-01-01T00:01:00Z";
    assert_eq!(ask(&world, "LIVE.example.com"), (403, "StreamForbidden".into(), reason.into()));
    assert_eq!(ask(&world, "other.example.com"), admitted());
    world.pass_ms(60_000);
    assert_eq!(ask(&world, "live.example.com"), admitted());
}

#[test]
fn who_cannot_say_does_not_refuse() {
    let world = world();
    world.store.break_at(0);
    assert_eq!(ask(&world, "live.example.com").0, 503);
    world.store.mend();
    world.variables.borrow_mut().remove("push_domains");
    assert_eq!(ask(&world, "live.example.com").0, 503);
}

fn begin(world: &World) -> String {
    let begin = BeginSession {
        gateway: "gateway-1".into(),
        boot: "spool.1".into(),
        push: "1".into(),
        ..BeginSession::default()
    };
    let route = BeginSession::route(stream("live.example.com"));
    let answer = run(handle(world, request(&route, serde_json::to_vec(&begin).unwrap())));
    read::<SessionAnswer>(&answer).unwrap().session
}

fn beat(world: &World, since: Option<u64>, adopted: &[&str]) -> Result<HeartbeatAnswer, u16> {
    let beat = Heartbeat {
        gateway: "gateway-1".into(),
        boot: "spool.1".into(),
        since,
        adopted: adopted.iter().map(|id| (*id).into()).collect(),
        ..Heartbeat::default()
    };
    let answer = run(handle(world, request(&Heartbeat::route(()), serde_json::to_vec(&beat).unwrap())));
    read(&answer).map_err(|(status, ..)| status)
}

fn denial(reason: &str) -> Denial {
    Denial { reason: reason.into(), until_ms: None }
}

/// The sessions of an answer whose pushes are to end, with the reasons.
fn denied(answer: &HeartbeatAnswer) -> Vec<(&str, &str)> {
    let of = |session: &'_ SessionAnswer| session.denied.is_some();
    let sessions = answer.sessions.iter().filter(|session| of(session));
    sessions.map(|session| (session.session.as_str(), session.denied.as_deref().unwrap())).collect()
}

#[test]
fn a_heartbeat_brings_that_a_push_is_to_end_beside_its_orders() {
    let world = world();
    let (session, other) = (begin(&world), begin(&world));
    let first = beat(&world, None, &[&session]).unwrap();
    let name = shared::catalog::StreamName::from(&stream("live.example.com"));
    run(world.end_pushes(name, None, denial("no more"), NOW_S * 1_000)).unwrap();
    beat(&world, Some(first.since), &[&other]).unwrap();
    let heard = beat(&world, Some(first.since), &[]).unwrap();
    assert_eq!(denied(&heard), [(session.as_str(), "no more")]);
    assert_eq!((heard.sessions.len(), heard.sessions[0].orders.len()), (1, 1));
    assert_eq!(beat(&world, Some(heard.since), &[]).unwrap().sessions, []);
}

#[test]
fn a_push_that_began_while_its_stream_was_forbidden_ends_too() {
    let world = world();
    let session = begin(&world);
    // Who forbids it finds no session yet.
    forbid(&world, NOW_S, NOW_S + 60);
    let name = shared::catalog::StreamName::from(&stream("live.example.com"));
    run(world.end_pushes(name, None, denial("not found"), NOW_S * 1_000)).unwrap();
    let first = beat(&world, None, &[&session, "20260101-00000000000000000000000000000000"]).unwrap();
    let heard = beat(&world, Some(first.since), &[]).unwrap();
    let reason = "live.example.com/live/cam is forbidden until 2026-01-01T00:01:00Z";
    assert_eq!(denied(&heard), [(session.as_str(), reason)]);
}

/// Its gateway went by its own checks, as its admission was not answered in time.
#[test]
fn a_push_to_a_domain_that_is_not_listed_ends_once_it_is_adopted_and_no_live_one_does() {
    let world = world();
    let live = begin(&world);
    let first = beat(&world, None, &[&live]).unwrap();
    world.set_variable("push_domains", "other.example.com");
    let session = begin(&world);
    let next = beat(&world, Some(first.since), &[&session]).unwrap();
    let heard = beat(&world, Some(next.since), &[]).unwrap();
    let reason = "domain live.example.com may not be pushed to";
    assert_eq!(denied(&heard), [(session.as_str(), reason)]);
}

#[test]
fn a_heartbeat_that_fails_on_its_way_is_repeated_and_the_push_ends_all_the_same() {
    let mut failed = 0;
    for operation in 0..80 {
        let world = world();
        let session = begin(&world);
        let first = beat(&world, None, &[]).unwrap();
        forbid(&world, NOW_S, NOW_S + 60);
        world.store.break_at(operation);
        let broke = beat(&world, Some(first.since), &[&session]);
        world.store.mend();
        let since = match broke {
            Ok(answer) if !denied(&answer).is_empty() => continue,
            Ok(answer) => answer.since,
            Err(status) => {
                failed += 1;
                assert_eq!(status, 503, "{operation}");
                let again = beat(&world, Some(first.since), &[&session]).unwrap();
                if !denied(&again).is_empty() {
                    continue;
                }
                again.since
            }
        };
        assert_eq!(denied(&beat(&world, Some(since), &[]).unwrap()).len(), 1, "{operation}");
    }
    assert!((20..80).contains(&failed), "{failed}");
}
