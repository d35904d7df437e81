use super::*;
use crate::{
    ChunkWriter,
    message::{AUDIO, VIDEO},
};

type Owned = (u8, u32, u32, Vec<u8>);

/// Feeds `bytes` in pieces of at most `step`, keeping what is left as a caller does.
fn read_all(bytes: &[u8], step: usize) -> Result<Vec<Owned>, Error> {
    let mut reader = ChunkReader::new();
    let (mut kept, mut messages) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(step) {
        kept.extend_from_slice(piece);
        let mut rest = kept.as_slice();
        while let Some(Message { type_id, stream_id, timestamp_ms, payload }) = reader.read(&mut rest)? {
            messages.push((type_id, stream_id, timestamp_ms, payload.to_vec()));
        }
        assert!(rest.len() < 18, "{} bytes are left", rest.len());
        kept = rest.to_vec();
    }
    Ok(messages)
}

fn check(bytes: &[u8], expected: &[Owned]) {
    for step in [bytes.len(), 1, 2, 3, 7, 11, 128, 129, 1000] {
        assert_eq!(read_all(bytes, step).as_deref(), Ok(expected), "in pieces of {step}");
    }
}

#[test]
fn messages_come_back_whatever_the_pieces() {
    let mut bytes = Vec::new();
    let mut writer = ChunkWriter::new();
    let mut expected: Vec<Owned> = Vec::new();
    for (at, size) in [0, 1, 127, 128, 129, 256, 1000, 5000].into_iter().enumerate() {
        let payload: Vec<u8> = (0..size).map(|byte| (byte * 7 + at) as u8).collect();
        let timestamp_ms = [0, 40, 0x00ff_fffe, 0x00ff_ffff, 0x0100_0000, u32::MAX, 5, 6][at];
        if at == 6 {
            writer.set_chunk_size(&mut bytes, 600);
        }
        let message = Message { type_id: VIDEO, stream_id: 1, timestamp_ms, payload: &payload };
        writer.write(&mut bytes, 6, &message);
        expected.push((VIDEO, 1, timestamp_ms, payload));
    }
    check(&bytes, &expected);
}

#[test]
fn interleaved_chunk_streams_do_not_mix() {
    let mut bytes = vec![0x06, 0, 0, 10, 0, 0, 200, VIDEO, 1, 0, 0, 0];
    bytes.extend_from_slice(&[b'v'; 128]);
    bytes.extend_from_slice(&[0x04, 0, 0, 11, 0, 0, 3, AUDIO, 1, 0, 0, 0, b'a', b'a', b'a']);
    bytes.push(0xc6);
    bytes.extend_from_slice(&[b'v'; 72]);
    check(&bytes, &[(AUDIO, 1, 11, vec![b'a'; 3]), (VIDEO, 1, 10, vec![b'v'; 200])]);
}

#[test]
fn differences_add_up_and_wrap() {
    let bytes = [
        &[0x04, 0xff, 0xff, 0xff, 0, 0, 1, AUDIO, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xf0, 0][..],
        // Type 1: 23 ms later, of two bytes.
        &[0x44, 0, 0, 23, 0, 0, 2, AUDIO, 1, 2],
        // Type 2: 20 ms later. Type 3: as much again.
        &[0x84, 0, 0, 20, 3, 4],
        &[0xc4, 5, 6],
    ]
    .concat();
    let expected = [
        (AUDIO, 1, 0xffff_fff0, vec![0]),
        (AUDIO, 1, 7, vec![1, 2]),
        (AUDIO, 1, 27, vec![3, 4]),
        (AUDIO, 1, 47, vec![5, 6]),
    ];
    check(&bytes, &expected);
}

#[test]
fn a_type_3_message_after_a_full_header_repeats_its_time_as_difference() {
    let bytes = [&[0x04, 0, 0, 23, 0, 0, 1, AUDIO, 1, 0, 0, 0, 9][..], &[0xc4, 8]].concat();
    check(&bytes, &[(AUDIO, 1, 23, vec![9]), (AUDIO, 1, 46, vec![8])]);
}

#[test]
fn extended_times_are_read_where_encoders_repeat_them_and_where_not() {
    let begin = [0x06, 0xff, 0xff, 0xff, 0, 0, 130, VIDEO, 1, 0, 0, 0, 1, 0, 0, 0];
    let payload: Vec<u8> = (0..130).collect();
    let expected = [(VIDEO, 1, 0x0100_0000, payload.clone())];
    let repeated = [&begin[..], &payload[..128], &[0xc6, 1, 0, 0, 0], &payload[128..]].concat();
    check(&repeated, &expected);

    // Without the repeated field the last two bytes alone cannot show that it is missing: more must follow.
    let next = [0x04, 0, 0, 1, 0, 0, 1, AUDIO, 1, 0, 0, 0, 7];
    let left_out = [&begin[..], &payload[..128], &[0xc6], &payload[128..], &next].concat();
    check(&left_out, &[expected[0].clone(), (AUDIO, 1, 1, vec![7])]);
}

#[test]
fn an_aborted_message_is_forgotten() {
    let mut bytes = vec![0x06, 0, 0, 10, 0, 0, 200, VIDEO, 1, 0, 0, 0];
    bytes.extend_from_slice(&[b'v'; 128]);
    bytes.extend_from_slice(&[0x02, 0, 0, 0, 0, 0, 4, ABORT, 0, 0, 0, 0, 0, 0, 0, 6]);
    bytes.extend_from_slice(&[0x06, 0, 0, 20, 0, 0, 1, VIDEO, 1, 0, 0, 0, 1]);
    check(&bytes, &[(VIDEO, 1, 20, vec![1])]);
}

#[test]
fn long_chunk_stream_ids_are_read() {
    let rest = [0, 0, 1, 0, 0, 1, AUDIO, 1, 0, 0, 0, 7];
    let bytes = [&[0x00, 200][..], &rest, &[0x01, 44, 1], &rest].concat();
    check(&bytes, &[(AUDIO, 1, 1, vec![7]), (AUDIO, 1, 1, vec![7])]);
}

#[test]
fn hostile_chunks_are_refused_with_their_place() {
    let refused = |bytes: &[u8]| read_all(bytes, bytes.len()).unwrap_err();
    let error = refused(&[0xc4]);
    assert_eq!(error, Error::NoPrecedingChunk { header_type: 3, chunk_stream: 4, offset: 0 });

    let mut many = Vec::new();
    for id in 0..=MAX_CHUNK_STREAMS as u8 {
        many.extend_from_slice(&[0, id, 0, 0, 0, 0, 0, 1, AUDIO, 1, 0, 0, 0, 0]);
    }
    let offset = 14 * MAX_CHUNK_STREAMS as u64;
    assert_eq!(refused(&many), Error::TooManyChunkStreams { limit: MAX_CHUNK_STREAMS, offset });

    let short =
        [&[0x06, 0, 0, 1, 0, 0, 200, VIDEO, 1, 0, 0, 0][..], &[0; 128], &[0x06, 0, 0, 1, 0, 0, 9, VIDEO]];
    let short = [&short.concat()[..], &[1, 0, 0, 0]].concat();
    assert_eq!(refused(&short), Error::MessageCutShort { chunk_stream: 6, missing: 72, offset: 140 });

    let size = [0x02, 0, 0, 0, 0, 0, 4, SET_CHUNK_SIZE, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(refused(&size), Error::ChunkSize { found: 0 });
}

#[test]
fn unfinished_messages_cannot_take_all_memory() {
    let mut reader = ChunkReader::new();
    let mut begin = vec![0x02, 0, 0, 0, 0, 0, 4, SET_CHUNK_SIZE, 0, 0, 0, 0, 0x00, 0xff, 0xff, 0xfe];
    let piece = vec![0; 0x00ff_fffe];
    let mut outcome = Ok(None);
    for id in 3..8 {
        begin.extend_from_slice(&[id, 0, 0, 0, 0xff, 0xff, 0xff, VIDEO, 1, 0, 0, 0]);
        outcome = reader.read(&mut begin.as_slice()).map(|_| None::<()>);
        outcome = outcome.and(reader.read(&mut piece.as_slice()).map(|_| None));
        if outcome.is_err() {
            break;
        }
        begin.clear();
    }
    assert!(matches!(outcome, Err(Error::PartialMessagesTooLong { .. })), "{outcome:?}");
}
