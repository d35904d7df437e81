//! What a publisher is answered.

use super::peer::Peer;
use super::*;
use crate::message::{AUDIO, COMMAND_AMF0, SET_CHUNK_SIZE, WINDOW_ACKNOWLEDGEMENT_SIZE};

#[test]
fn what_encoders_wait_for_is_answered() {
    let mut peer = Peer::connected();
    assert_eq!(peer.answers().last().unwrap(), "_result 1 NetConnection.Connect.Success");
    let name = [Value::Null, string("talk")];
    let mut answers = |stream_id, command, transaction, values: &[Value]| {
        peer.command(stream_id, command, transaction, values);
        peer.answers()
    };
    assert_eq!(answers(0, "releaseStream", 2.0, &name), ["_result 2"]);
    assert_eq!(answers(0, "FCPublish", 3.0, &name), ["_result 3", "onFCPublish 0 NetStream.Publish.Start"]);
    assert_eq!(answers(0, "createStream", 4.0, &[Value::Null]), ["_result 4"]);
    assert_eq!(answers(1, "publish", 5.0, &name), ["type 4", "onStatus 0 NetStream.Publish.Start"]);
    assert_eq!(answers(0, "_checkbw", 6.0, &[Value::Null]), ["_result 6"]);
    assert_eq!(answers(0, "_checkbw", 0.0, &[Value::Null]), Vec::<String>::new());
    assert_eq!(answers(0, "_result", 9.0, &[Value::Null]), Vec::<String>::new());
    let expected = [
        "onFCUnpublish 0 NetStream.Unpublish.Success",
        "_result 7",
        "onStatus 0 NetStream.Unpublish.Success",
    ];
    assert_eq!(answers(0, "FCUnpublish", 7.0, &name), expected);
    // Transaction 0 awaits no answer.
    assert_eq!(answers(0, "FCUnpublish", 0.0, &name), ["onFCUnpublish 0 NetStream.Unpublish.Success"]);
}

#[test]
fn a_publish_on_the_connection_itself_is_one_of_the_stream_that_was_created() {
    let mut peer = Peer::connected();
    peer.command(0, "createStream", 2.0, &[Value::Null]);
    peer.answers();
    assert!(matches!(peer.publish(0, "talk")[..], [Seen::Publish(_)]));
    let output = std::mem::take(peer.server.output());
    let (mut rest, mut started_on) = (output.as_slice(), Vec::new());
    while let Some(message) = peer.heard.read(&mut rest).unwrap() {
        if message.type_id == COMMAND_AMF0 {
            started_on.push(message.stream_id);
        }
    }
    assert_eq!(started_on, [1]);
    // Another publish there leaves its media alone.
    assert_eq!(peer.publish(1, "other").len(), 1);
    assert!(peer.records(1));
}

/// The payload of each acknowledgement.
fn acknowledged(peer: &mut Peer) -> Vec<u32> {
    let output = std::mem::take(peer.server.output());
    let (mut rest, mut totals) = (output.as_slice(), Vec::new());
    while let Some(message) = peer.heard.read(&mut rest).unwrap() {
        if message.type_id == crate::message::ACKNOWLEDGEMENT {
            totals.push(u32::from_be_bytes(message.payload.try_into().unwrap()));
        }
    }
    totals
}

#[test]
fn what_arrived_is_acknowledged_once_a_window() {
    let mut peer = Peer::publishing();
    peer.send(WINDOW_ACKNOWLEDGEMENT_SIZE, 0, 0, &4096_u32.to_be_bytes());
    let mut bytes = Vec::new();
    let message = Message { type_id: AUDIO, stream_id: 1, timestamp_ms: 0, payload: &[0xaf; 1000] };
    peer.chunks.write(&mut bytes, 4, &message);
    // However many messages come at once: five of them are more than a window.
    let length = bytes.len() as u32;
    assert_eq!(feed(&mut peer.server, &mut bytes.repeat(20).as_slice()).len(), 20);
    let totals = acknowledged(&mut peer);
    assert!(totals.len() >= 3, "{totals:?}");
    assert!(totals.windows(2).all(|pair| pair[1] - pair[0] == 5 * length), "{totals:?}");
}

#[test]
fn the_server_announces_the_size_of_its_chunks() {
    let (mut server, mut handshake) = (ServerSession::new(), vec![0; 1 + 2 * 1536]);
    handshake[0] = 3;
    feed(&mut server, &mut handshake.as_slice());
    server.output().clear();
    let mut connect = Vec::new();
    crate::command::write(&crate::ChunkWriter::new(), &mut connect, 0, "connect", 1.0, &[Value::Null]);
    feed(&mut server, &mut connect.as_slice());
    let announced = [2, 0, 0, 0, 0, 0, 4, SET_CHUNK_SIZE, 0, 0, 0, 0, 0, 0, 0x10, 0];
    assert!(server.output().windows(announced.len()).any(|bytes| bytes == announced));
}
