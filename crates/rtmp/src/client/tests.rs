//! What the client makes of each answer of a server.

use super::*;

/// A client whose connect command is sent.
fn asked() -> ClientSession {
    let mut client = ClientSession::new("rtmp://h/live", "live", "talk");
    client.output().clear();
    let mut handshake = vec![0; 1 + 2 * 1536];
    handshake[0] = 3;
    client.read(&mut handshake.as_slice()).unwrap();
    client.output().clear();
    client
}

/// Gives the client one command of a server.
fn answer(client: &mut ClientSession, name: &str, transaction: f64, values: &[Value]) -> Result<(), Error> {
    let mut bytes = Vec::new();
    command::write(&ChunkWriter::new(), &mut bytes, 0, name, transaction, values);
    client.read(&mut bytes.as_slice())
}

fn status(level: &str, code: &str) -> [Value; 2] {
    let fields = [("level", string(level)), ("code", string(code)), ("description", string("so it is"))];
    [Value::Null, object(fields)]
}

/// The commands that the client has sent since the last call.
fn sent(client: &mut ClientSession) -> Vec<String> {
    let output = std::mem::take(client.output());
    let (mut reader, mut rest, mut sent) = (ChunkReader::new(), output.as_slice(), Vec::new());
    while let Some(message) = reader.read(&mut rest).unwrap() {
        sent.push(Command::decode(&message).unwrap().name);
    }
    sent
}

#[test]
fn a_server_that_refuses_to_connect_is_believed() {
    for (name, code) in
        [("_error", "NetConnection.Connect.Rejected"), ("onStatus", "NetConnection.Connect.Closed")]
    {
        let refused = answer(&mut asked(), name, CONNECT, &status("error", code));
        assert_eq!(
            refused,
            Err(Error::Refused { code: code.into(), description: "so it is".into() }),
            "{name}"
        );
    }
}

#[test]
fn a_stream_is_created_after_connect_and_published_once_it_is_there() {
    let mut client = asked();
    // A result of nothing that was asked for changes nothing.
    answer(&mut client, "_result", 9.0, &[Value::Null]).unwrap();
    assert_eq!(sent(&mut client), [] as [&str; 0]);
    answer(&mut client, "_result", CONNECT, &[Value::Null]).unwrap();
    assert_eq!(sent(&mut client), ["releaseStream", "FCPublish", "createStream"]);
    answer(&mut client, "_result", 2.0, &[Value::Null]).unwrap();
    assert_eq!(sent(&mut client), [] as [&str; 0]);
    answer(&mut client, "_result", CREATE_STREAM, &[Value::Null, Value::Number(7.0)]).unwrap();
    assert_eq!(sent(&mut client), ["publish"]);
}

#[test]
fn media_may_be_sent_once_the_publish_has_started_and_not_before() {
    let mut client = asked();
    for code in ["NetStream.Publish.Idle", "NetStream.Data.Start", ""] {
        answer(&mut client, "onStatus", 0.0, &status("status", code)).unwrap();
        assert_eq!(client.state(), ClientState::Asking, "{code}");
    }
    answer(&mut client, "onStatus", 0.0, &status("status", "NetStream.Publish.Start")).unwrap();
    assert_eq!(client.state(), ClientState::Publishing);
}
