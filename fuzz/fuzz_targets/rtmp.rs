//! A publisher's bytes never make the server panic, and mean the same however they are split.
#![no_main]

use rtmp::{ServerEvent, ServerSession};

/// Version and two halves of a handshake, whose content is free.
const HANDSHAKE_SIZE: usize = 1 + 2 * 1536;

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let mut sent = vec![0; HANDSHAKE_SIZE];
    sent[0] = 3;
    sent.extend_from_slice(bytes);
    assert_eq!(events([sent.as_slice()].into_iter()), events(sent.chunks(usize::from(step) + 1)));
});

/// The events that a server gives for the pieces, and the error that ended them.
fn events<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut session = ServerSession::new();
    let mut events = Vec::new();
    let mut input = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        let mut rest = input.as_slice();
        loop {
            let is_publish = match session.read(&mut rest) {
                Ok(None) => break,
                Ok(Some(event)) => {
                    events.push(format!("{event:?}"));
                    matches!(event, ServerEvent::Publish(_))
                }
                Err(error) => {
                    events.push(error.to_string());
                    return events;
                }
            };
            if is_publish {
                session.accept();
            }
        }
        session.output().clear();
        // Bytes that the server did not consume begin the next call's input.
        input.drain(..input.len() - rest.len());
    }
    events
}
