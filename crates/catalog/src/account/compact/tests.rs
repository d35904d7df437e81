use serde::{Deserialize, Serialize};

use super::*;
use crate::tests::media::TRACKS;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Compact {
    #[serde(with = "accounts")]
    accounts: Vec<Account>,
    #[serde(with = "ended")]
    ended: Vec<(usize, Run)>,
}

#[derive(Serialize)]
struct Former<'a> {
    accounts: &'a [Account],
    ended: &'a [(usize, Run)],
}

fn example() -> Compact {
    let at = |session: &str, seq| Place { session: format!("20270115-{session:0>32}"), seq };
    let run = Run {
        number: 3,
        first: at("a", 700),
        last: at("b", 17_000),
        start_ms: 1_800_000_000_000,
        end_ms: 1_800_000_900_123,
        end_90khz: 7_650_000_000,
        duration_90khz: 81_000_000,
        slices: 180,
        gaps: 2,
        tracks: TRACKS,
        is_full: true,
    };
    let open = Run { number: 4, first: at("b", 17_001), is_full: false, ..run.clone() };
    let account = |container, file| Account { container, file, gaps: 1, least: 4 };
    let accounts = vec![
        account(Container::M3u8, Some(open.clone())),
        account(Container::Mp4, None),
        account(Container::Flv, Some(open)),
    ];
    Compact { accounts, ended: vec![(0, run.clone()), (2, run)] }
}

#[test]
fn accounts_are_read_as_they_were_written_and_as_json() {
    let example = example();
    let text = serde_json::to_string(&example).unwrap();
    assert_eq!(serde_json::from_str::<Compact>(&text).unwrap(), example);
    let Compact { accounts, ended } = &example;
    let former = serde_json::to_string(&Former { accounts, ended }).unwrap();
    assert_eq!(serde_json::from_str::<Compact>(&former).unwrap(), example);
    assert!(text.len() * 3 < former.len(), "{text}");
    let none = Compact { accounts: Vec::new(), ended: Vec::new() };
    let text = serde_json::to_string(&none).unwrap();
    assert_eq!(serde_json::from_str::<Compact>(&text).unwrap(), none);
}

#[test]
fn accounts_that_are_cut_or_go_on_are_refused() {
    let mut writer = Writer::default();
    writer.put(2);
    for (place, run) in &example().ended {
        writer.put(*place as u64);
        writer.run(run);
    }
    let mut bytes = BASE64_STANDARD.decode(writer.finish()).unwrap();
    let parsed = |bytes: &[u8]| Parser::new(bytes).and_then(|parser| parser.all(Parser::ended));
    assert_eq!(parsed(&bytes), Some(example().ended));
    for end in 0..bytes.len() {
        assert_eq!(parsed(&bytes[..end]), None, "{end}");
    }
    bytes.push(0);
    assert_eq!(parsed(&bytes), None);
}
