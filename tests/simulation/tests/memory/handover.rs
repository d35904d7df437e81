//! Cases of the [table](crate::table) in which the stream goes to another gateway in the middle: the first push ends before
//! the second one begins, or goes on beside it.
//!
//! Where the first one's end is told before, the second continues its recording. Otherwise it is a recording of its own,
//! with its own files; a command goes to both, and is refused if none can take it.

use std::collections::BTreeSet;

use serde_json::Value;
use store::memory::Random;

use crate::site::Site;
use crate::table::{self, CHUNK_S, CHUNKS, COMMANDS, Case, Chunk, MODES, Model, Ordered, WINDOWS, Window};

/// One of so many cases is played.
const SAMPLE: usize = 15;

/// Any: what it draws is played.
const SEED: u64 = 7;

/// When the stream goes to the other gateway, in chunks after the first push's begin.
#[derive(Clone, Copy, Debug)]
struct Handover {
    at: u64,
    /// For how many chunks the first push goes on.
    overlap: u64,
    /// When each command is given.
    commanded: [u64; 2],
}

const HANDOVERS: [Handover; 6] = [
    Handover { at: 2, overlap: 0, commanded: [1, 4] },
    Handover { at: 2, overlap: 2, commanded: [1, 4] },
    Handover { at: 2, overlap: 3, commanded: [1, 4] },
    Handover { at: 4, overlap: 0, commanded: [2, 5] },
    Handover { at: 4, overlap: 1, commanded: [2, 5] },
    Handover { at: 4, overlap: 2, commanded: [2, 5] },
];

impl Handover {
    /// The pushes that are live while a chunk comes, each with the chunk's place in it.
    fn live(self, chunk: u64) -> Vec<Chunk> {
        let first = (chunk < self.at + self.overlap).then_some((0, chunk));
        let second = chunk.checked_sub(self.at).filter(|place| *place < CHUNKS[1]).map(|place| (1, place));
        first.into_iter().chain(second).collect()
    }

    fn chunks(self) -> u64 {
        self.at + CHUNKS[1]
    }

    /// The command before a chunk.
    fn command(self, case: Case, chunk: u64) -> &'static str {
        self.commanded.iter().position(|at| *at == chunk).map_or("", |at| case.commands[at])
    }
}

/// What the rules say: the files, and which commands are taken.
fn expected(case: Case, handover: Handover) -> (Vec<Vec<Chunk>>, Vec<bool>) {
    let mut recordings = [Model::default(), Model::default()];
    let recording_of = |push: usize| if handover.overlap > 0 { push } else { 0 };
    let mut replies = Vec::new();
    for chunk in 0..handover.chunks() {
        let now_s = chunk * CHUNK_S;
        let live = handover.live(chunk);
        for (push, _) in live.iter().filter(|(_, place)| *place == 0) {
            recordings[recording_of(*push)].begin(case, now_s);
        }
        for (push, _) in live.iter().filter(|(_, place)| *place > 0) {
            recordings[recording_of(*push)].edge(case, now_s);
        }
        let command = handover.command(case, chunk);
        let taken: Vec<bool> =
            live.iter().filter_map(|(push, _)| recordings[recording_of(*push)].command(command)).collect();
        if !taken.is_empty() {
            replies.push(taken.contains(&true));
        }
        for at in live {
            let recording = &mut recordings[recording_of(at.0)];
            if recording.is_recording {
                recording.chunk(case, at, now_s);
            }
        }
    }
    let mut files: Vec<_> = recordings.into_iter().flat_map(|recording| recording.files).collect();
    files.sort();
    (files, replies)
}

/// What the functions make of it.
fn play(case: Case, handover: Handover) -> (Site, Vec<Vec<Chunk>>, Vec<bool>) {
    let site = table::site(case);
    site.start("h", "h.1");
    let mut pushes: Vec<Ordered> = Vec::new();
    let mut replies = Vec::new();
    for chunk in 0..=handover.chunks() {
        if chunk == handover.at + handover.overlap {
            site.end(&pushes[0].push);
        }
        if chunk == handover.chunks() {
            break;
        }
        let live = handover.live(chunk);
        for (push, _) in live.iter().filter(|(_, place)| *place == 0) {
            pushes.push(table::begin(&site, ["g", "h"][*push], case, &Value::Null));
        }
        let command = handover.command(case, chunk);
        if !command.is_empty() {
            for gateway in ["g", "h"] {
                // A begin is told as adopted, and what was heard before is as old as it was then.
                site.beat(gateway).unwrap();
                site.tell(gateway, |heard| heard.orders.clear());
            }
            let reply = site.command("cam", command);
            assert!(["OK", "TaskAlreadyStarted", "TaskNotStarted"].contains(&&*reply), "{case:?}: {reply}");
            replies.push(reply == "OK");
            for (push, _) in &live {
                let ordered = &mut pushes[*push];
                site.beat(&ordered.push.gateway).unwrap();
                let heard = site.heard.borrow()[&ordered.push.gateway].clone();
                if let Some(orders) = heard.orders.get(&ordered.push.session).filter(|_| reply == "OK") {
                    ordered.hear(&site, orders);
                }
            }
        }
        let wanted: Vec<_> =
            live.into_iter().filter(|(push, _)| pushes[*push].follow_orders(&site)).collect();
        site.seconds(CHUNK_S);
        for (push, place) in wanted {
            let sent = pushes[push].send(&site, place);
            // Both name a slice alike: the later one is sent again, under a name of its own.
            if sent == Err((503, "NameTaken".into())) {
                pushes[push].send(&site, place).unwrap();
            } else {
                sent.unwrap();
            }
        }
    }
    site.end(&pushes[1].push);
    site.seconds(60);
    let files = table::files(&site, &pushes);
    (site, files, replies)
}

/// Of each recording that has files a start is told and a last pause; each file is told once.
fn check_told(site: &Site, files: usize, case: Case) {
    let sent = site.any().receivers.take_sent();
    let bodies: Vec<Value> =
        sent.iter().filter_map(|sent| serde_json::from_slice(sent.body()).ok()).collect();
    let mut recording = 0_i32;
    let statuses = bodies.iter().filter_map(|body| body["event"].as_str());
    let (errors, statuses): (Vec<_>, Vec<_>) = statuses.partition(|event| *event == "record_error");
    assert_eq!(errors.len(), if case.mode.is_unanswered() { 2 } else { 0 }, "{case:?}: {bodies:?}");
    for status in statuses {
        recording += if status == "record_paused" { -1 } else { 1 };
        assert!((0..=2).contains(&recording), "{case:?}: {bodies:?}");
    }
    assert_eq!(recording, 0, "{case:?}: {bodies:?}");
    let started = bodies.iter().any(|body| body["event"] == "record_started");
    assert_eq!(started, files > 0, "{case:?}: {bodies:?}");
    let uris: Vec<_> = bodies.iter().filter_map(|body| body["uri"].as_str()).collect();
    assert_eq!((uris.len(), uris.iter().collect::<BTreeSet<_>>().len()), (files, files), "{case:?}");
}

#[test]
fn a_stream_that_goes_to_another_gateway_is_recorded_as_the_rules_say() {
    let mut random = Random::new(SEED);
    let (mut cases, mut both, mut refused, mut wrong) = (0, 0, 0, Vec::new());
    for mode in MODES {
        for window in WINDOWS {
            for commands in COMMANDS.iter().flat_map(|first| COMMANDS.map(|second| [*first, second])) {
                for handover in HANDOVERS {
                    if random.below(SAMPLE) != 0 {
                        continue;
                    }
                    // The window's end closes the first push's file before the second one's first chunk is there.
                    if window == Window::Ends && handover.at == 2 && handover.overlap == 0 {
                        continue;
                    }
                    let case = Case { mode, window, commands, gap_s: 0 };
                    let (files, replies) = expected(case, handover);
                    let (site, played, given) = play(case, handover);
                    if (&given, &played) != (&replies, &files) {
                        wrong.push(format!(
                            "{case:?} {handover:?}: {given:?} {played:?}, not {replies:?} {files:?}"
                        ));
                        continue;
                    }
                    check_told(&site, files.len(), case);
                    cases += 1;
                    let is_of = |push| files.iter().flatten().any(|chunk| chunk.0 == push);
                    both += usize::from(handover.overlap > 0 && is_of(0) && is_of(1));
                    refused += usize::from(replies.contains(&false));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases > 200 && both > 40 && refused > 40, "{cases} cases, {both} of both, {refused} refused");
}
