//! What publishers send that is passed over, with the push going on before and after it.

use super::peer::Peer;
use super::*;
use crate::message::{
    AGGREGATE, AUDIO, COMMAND_AMF0, COMMAND_AMF3, DATA_AMF0, DATA_AMF3, SET_CHUNK_SIZE, USER_CONTROL, VIDEO,
    WINDOW_ACKNOWLEDGEMENT_SIZE,
};

#[track_caller]
fn check_skipped(seen: &[Seen], reason: &str) {
    match seen {
        [Seen::Skipped(skipped)] => assert_eq!(skipped.to_string(), reason),
        _ => panic!("{seen:?}, expected {reason:?}"),
    }
}

#[test]
fn commands_that_cannot_be_read_are_passed_over() {
    let mut peer = Peer::publishing();
    let long = [&[2, 0, 1, b'x'][..], &vec![5; 70_000]].concat();
    let none = "command without a name in AMF0: ";
    // What is just short enough is read.
    let longest = [&[2, 0, 1, b'x'][..], &[5; 65_532]].concat();
    assert_eq!(peer.send(COMMAND_AMF0, 0, 0, &longest), []);
    let cases: [(u8, &[u8], String); 8] = [
        (COMMAND_AMF0, b"", format!("{none}value ends early: 1 bytes are needed, 0 are left")),
        (COMMAND_AMF3, b"", format!("{none}value ends early: 1 bytes are needed, 0 are left")),
        (COMMAND_AMF3, b"\0", format!("{none}value ends early: 1 bytes are needed, 0 are left")),
        (COMMAND_AMF0, b"\x02\0\x09publ", format!("{none}value ends early: 9 bytes are needed, 4 are left")),
        (
            COMMAND_AMF3,
            b"\x11\x06\x0bhello",
            format!("{none}expected a type of 0 to 3, 5, 6, 8, 10, 11 or 12, found 17"),
        ),
        (COMMAND_AMF0, &[0; 9], "command whose name is no string".into()),
        (COMMAND_AMF0, &[5], "command whose name is no string".into()),
        (COMMAND_AMF0, &long, "command of 70004 bytes, at most 65536 are read".into()),
    ];
    for (type_id, payload, reason) in cases {
        check_skipped(&peer.send(type_id, 0, 0, payload), &reason);
        assert!(peer.records(1), "after {reason}");
    }
    assert_eq!(peer.answers(), Vec::<String>::new());
}

#[test]
fn a_cut_command_means_what_is_there() {
    let mut peer = Peer::connected();
    // A name and nothing else; a name, a transaction and half a value.
    assert_eq!(peer.send(COMMAND_AMF0, 0, 0, b"\x02\0\x0ccreateStream"), []);
    let publish = [&b"\x02\0\x07publish\0\0\0\0\0\0\0\0\0\x05\x02\0\x04talk"[..], &[2, 0, 9, b'l']].concat();
    let seen = peer.send(COMMAND_AMF3, 1, 0, &[&[0][..], &publish].concat());
    let expected = Publish { tc_url: "rtmp://h/live".into(), app: "live".into(), name: "talk".into() };
    assert_eq!(seen, [Seen::Publish(expected)]);
    assert!(peer.records(1));
}

#[test]
fn a_second_publish_leaves_the_first_one_going() {
    let mut peer = Peer::publishing();
    let reason = "unexpected command \"publish\": the connection publishes already";
    check_skipped(&peer.publish(1, "talk"), reason);
    assert_eq!(peer.answers(), ["onStatus 0 NetStream.Publish.Start"]);
    check_skipped(&peer.publish(1, "other"), reason);
    assert_eq!(peer.answers(), ["onStatus 0 NetStream.Publish.BadName"]);
    assert!(peer.records(1));

    // On a message stream of its own: its media is not the first one's, and ending it ends nothing.
    peer.command(0, "createStream", 6.0, &[Value::Null]);
    check_skipped(&peer.publish(2, "other"), reason);
    assert!(peer.records(1) && !peer.records(2));
    let other = "the connection publishes another stream";
    let values = [Value::Null, string("other")];
    check_skipped(
        &peer.command(0, "FCUnpublish", 7.0, &values),
        &format!("unexpected command \"FCUnpublish\": {other}"),
    );
    let values = [Value::Null, Value::Number(2.0)];
    check_skipped(
        &peer.command(0, "deleteStream", 8.0, &values),
        &format!("unexpected command \"deleteStream\": {other}"),
    );
    check_skipped(
        &peer.command(2, "closeStream", 0.0, &[Value::Null]),
        &format!("unexpected command \"closeStream\": {other}"),
    );
    assert!(peer.records(1));
    assert_eq!(peer.command(1, "closeStream", 0.0, &[Value::Null]), [Seen::Unpublish]);
    assert!(!peer.records(1));
    assert!(matches!(peer.publish(2, "other")[..], [Seen::Publish(_)]));
    assert!(peer.records(2));
}

#[test]
fn streams_are_ended_and_published_again_on_one_connection() {
    let mut peer = Peer::publishing();
    for (name, values) in [
        ("FCUnpublish", vec![Value::Null, string("talk?key=1")]),
        ("FCUnpublish", vec![]),
        ("deleteStream", vec![Value::Null, Value::Number(1.0)]),
        ("deleteStream", vec![Value::Null]),
        ("closeStream", vec![]),
    ] {
        assert!(peer.records(1));
        assert_eq!(peer.command(0, name, 0.0, &values), [Seen::Unpublish], "{name}");
        assert_eq!(peer.command(0, name, 0.0, &values), [], "{name}");
        assert!(!peer.records(1));
        assert!(matches!(peer.publish(1, "talk")[..], [Seen::Publish(_)]));
    }
}

#[test]
fn playing_is_refused_and_ends_no_push() {
    let mut peer = Peer::publishing();
    let seen = peer.command(1, "play", 0.0, &[Value::Null, string("talk")]);
    check_skipped(&seen, "unexpected command \"play\": this server records, it plays nothing");
    assert_eq!(peer.answers(), ["onStatus 0 NetStream.Play.Failed"]);
    assert!(peer.records(1));
}

#[test]
fn control_messages_that_are_cut_or_unknown_are_passed_over() {
    let mut peer = Peer::publishing();
    let short = |type_id, needed, available| {
        format!("message of type {type_id} holds {available} bytes, expected {needed}")
    };
    for (type_id, payload, needed) in [
        (WINDOW_ACKNOWLEDGEMENT_SIZE, &[][..], 4),
        (WINDOW_ACKNOWLEDGEMENT_SIZE, &[0, 1], 4),
        (SET_CHUNK_SIZE, &[0, 0, 1], 4),
        (crate::message::ABORT, &[], 4),
        (USER_CONTROL, &[], 2),
        (USER_CONTROL, &[0], 2),
        (USER_CONTROL, &[0, 6], 6),
        (USER_CONTROL, &[0, 6, 1, 2, 3], 6),
    ] {
        check_skipped(&peer.send(type_id, 0, 0, payload), &short(type_id, needed, payload.len()));
        assert!(peer.records(1));
    }
    check_skipped(&peer.send(SET_CHUNK_SIZE, 0, 0, &[0; 4]), "chunk size 0, expected 1 to 2147483647");
    // Events and types without a meaning here, also on the wrong message stream and with more than they need.
    for (type_id, payload) in [
        (USER_CONTROL, &[0, 3, 0, 0, 0, 1, 0, 0, 0x0b, 0xb8][..]),
        (USER_CONTROL, &[0, 7, 0, 0, 0, 1]),
        (USER_CONTROL, &[0xff; 20]),
        (WINDOW_ACKNOWLEDGEMENT_SIZE, &[0, 0x4c, 0x4b, 0x40, 1, 2, 3]),
        (crate::message::ACKNOWLEDGEMENT, &[]),
        (crate::message::SET_PEER_BANDWIDTH, &[1]),
        (16, b"shared object"),
        (19, &[]),
        (7, &[1]),
        (99, &[1, 2, 3]),
        (0, &[]),
    ] {
        for stream_id in [0, 1] {
            assert_eq!(peer.send(type_id, stream_id, 0, payload), [], "type {type_id} {payload:?}");
            assert!(peer.records(1));
        }
    }
    assert_eq!(peer.answers(), Vec::<String>::new());
    assert_eq!(peer.send(USER_CONTROL, 1, 0, &[0, 6, 1, 2, 3, 4, 9]), []);
    assert_eq!(peer.answers(), ["type 4"]);
}

/// A part of an aggregate message.
fn part(type_id: u8, time_ms: u32, payload: &[u8]) -> Vec<u8> {
    let [_, l0, l1, l2] = (payload.len() as u32).to_be_bytes();
    let [t3, t0, t1, t2] = time_ms.to_be_bytes();
    let header = [type_id, l0, l1, l2, t0, t1, t2, t3, 0, 0, 0];
    [&header[..], payload, &(payload.len() as u32 + 11).to_be_bytes()].concat()
}

#[test]
fn aggregates_are_taken_apart_and_keep_the_time_of_their_message() {
    let mut peer = Peer::publishing();
    let audio = |timestamp_ms, body: &[u8]| Seen::Media(TagKind::Audio, timestamp_ms, body.to_vec());
    let video = |timestamp_ms, body: &[u8]| Seen::Media(TagKind::Video, timestamp_ms, body.to_vec());

    // Parts count from 16,777,200 ms, over the 24 bits, and the message says 1,000.
    let first_ms = 0x00ff_fff0;
    let aggregate = [
        part(AUDIO, first_ms, &[0xaf, 1, 1]),
        part(VIDEO, first_ms + 10, &[0x27, 1, 0, 0, 0, 2]),
        part(AUDIO, first_ms + 23, &[0xaf, 1, 3]),
        part(AUDIO, first_ms - 5, &[0xaf, 1, 4]),
    ]
    .concat();
    let expected = [
        audio(1_000, &[0xaf, 1, 1]),
        video(1_010, &[0x27, 1, 0, 0, 0, 2]),
        audio(1_023, &[0xaf, 1, 3]),
        audio(995, &[0xaf, 1, 4]),
    ];
    assert_eq!(peer.send(AGGREGATE, 1, 1_000, &aggregate), expected);

    // Without its last back pointer; with a command, an empty part and an aggregate among the parts.
    let single = part(AUDIO, 0, &[0xaf, 1, 0]);
    assert_eq!(peer.send(AGGREGATE, 1, 7, &single[..14]), [audio(7, &[0xaf, 1, 0])]);
    let odd = [
        part(COMMAND_AMF0, 0, b"\x02\0\x0bcloseStream"),
        part(VIDEO, 3, &[]),
        part(AGGREGATE, 3, &single),
        part(DATA_AMF0, 3, b"\x02\0\x01x\x05"),
        single.clone(),
    ];
    let expected = [Seen::Media(TagKind::Script, 10, b"\x02\0\x01x\x05".to_vec()), audio(7, &[0xaf, 1, 0])];
    assert_eq!(peer.send(AGGREGATE, 1, 7, &odd.concat()), expected);
    assert_eq!(peer.send(AGGREGATE, 1, 7, &[]), []);

    // What is cut is kept as far as it goes.
    let two = [single.clone(), single].concat();
    for (cut, needed, available) in [(19, 11, 1), (28, 11, 10), (31, 14, 13)] {
        let seen = peer.send(AGGREGATE, 1, 7, &two[..cut]);
        assert_eq!(seen[0], audio(7, &[0xaf, 1, 0]));
        let reason =
            format!("aggregate message ends inside a part: {needed} bytes are needed, {available} are left");
        check_skipped(&seen[1..], &reason);
        assert!(peer.records(1));
    }
}

#[test]
fn an_aggregate_before_the_publish_is_dropped() {
    let mut peer = Peer::connected();
    let aggregate = part(AUDIO, 0, &[0xaf, 1, 0]);
    assert_eq!(peer.send(AGGREGATE, 1, 7, &aggregate), []);
    // What is cut in it is of no account either.
    assert_eq!(peer.send(AGGREGATE, 1, 7, &aggregate[..12]), []);
}

#[test]
fn media_that_says_nothing_is_passed_over() {
    let mut peer = Peer::publishing();
    for type_id in [AUDIO, VIDEO, DATA_AMF0, DATA_AMF3] {
        assert_eq!(peer.send(type_id, 1, 7, &[]), [], "type {type_id}");
    }
    // A keep-alive, a request to forget the metadata, a name that is no string.
    for payload in [&b"\x02\0\x0d@setDataFrame"[..], b"\x02\0\x0f@clearDataFrame\x02\0\x0aonMetaData", &[5]] {
        assert_eq!(peer.send(DATA_AMF0, 1, 7, payload), []);
    }
    // Nor is any of it read, be it right or not.
    for begin in [[3, 0, 1], [8, 0, 0], [10, 0, 0], [12, 0, 0]] {
        assert_eq!(peer.send(DATA_AMF0, 1, 7, &begin), []);
    }
    let unreadable = "data message without a name in AMF0: ";
    let reason = format!("{unreadable}expected a type of 0 to 3, 5, 6, 8, 10, 11 or 12, found 17");
    check_skipped(&peer.send(DATA_AMF3, 1, 7, b"\x11\x06\x0bhello"), &reason);
    check_skipped(
        &peer.send(DATA_AMF0, 1, 7, &[2, 0, 9, b'x']),
        &format!("{unreadable}value ends early: 9 bytes are needed, 1 are left"),
    );
    assert!(peer.records(1));
    let script = b"\x02\0\x0aonTextData\x05";
    let expected = [Seen::Media(TagKind::Script, 7, script.to_vec())];
    assert_eq!(peer.send(DATA_AMF0, 1, 7, script), expected);
    assert_eq!(peer.send(DATA_AMF3, 1, 7, &[&[0][..], script].concat()), expected);
}

#[test]
fn media_with_an_odd_stream_number_is_taken() {
    let mut peer = Peer::publishing();
    assert!([0, 1, 5, u32::MAX].into_iter().all(|stream_id| peer.records(stream_id)));
}
