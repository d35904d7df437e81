mod limits;

use super::*;
use crate::{
    ChunkWriter,
    message::{AUDIO, USER_CONTROL, VIDEO},
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
fn extended_times_are_repeated_in_every_chunk_of_type_3() {
    let begin = [0x06, 0xff, 0xff, 0xff, 0, 0, 130, VIDEO, 1, 0, 0, 0, 1, 0, 0, 0];
    let payload: Vec<u8> = (0..130).collect();
    let repeated = [&begin[..], &payload[..128], &[0xc6, 1, 0, 0, 0], &payload[128..]].concat();
    check(&repeated, &[(VIDEO, 1, 0x0100_0000, payload)]);
}

/// What librtmp sends from 4 h 39 min on, rebuilt: chunks of 4,096 bytes, sound and picture on chunk stream 4,
/// the extended time in the chunk of type 0 alone.
#[test]
fn librtmp_leaves_extended_times_out_of_chunks_of_type_3() {
    let picture: Vec<u8> = (0..10_000_u32).map(|at| ((at * 31) >> 3) as u8).collect();
    let mut bytes = vec![0x02, 0, 0, 0, 0, 0, 4, SET_CHUNK_SIZE, 0, 0, 0, 0, 0, 0, 0x10, 0];
    let mut expected = Vec::new();
    for at in 0..3 {
        let timestamp_ms: u32 = 0x00ff_ffff + at * 40;
        let [t0, t1, t2, t3] = timestamp_ms.to_be_bytes();
        let [_, l0, l1, l2] = (picture.len() as u32).to_be_bytes();
        bytes.extend_from_slice(&[4, 0xff, 0xff, 0xff, l0, l1, l2, VIDEO, 1, 0, 0, 0, t0, t1, t2, t3]);
        let mut pieces = picture.chunks(4096);
        bytes.extend_from_slice(pieces.next().unwrap());
        for piece in pieces {
            bytes.push(0xc4);
            bytes.extend_from_slice(piece);
        }
        bytes.extend_from_slice(&[4, 0xff, 0xff, 0xff, 0, 0, 2, AUDIO, 1, 0, 0, 0, t0, t1, t2, t3, 0xaf, 1]);
        expected.push((VIDEO, 1, timestamp_ms, picture.clone()));
        expected.push((AUDIO, 1, timestamp_ms, vec![0xaf, 1]));
    }
    check(&bytes, &expected);
}

#[test]
fn a_chunk_stream_may_begin_with_a_header_of_type_1() {
    let bytes = [&[0x47, 0, 0, 23, 0, 0, 1, AUDIO, 9][..], &[0x47, 0, 0, 20, 0, 0, 2, AUDIO, 8, 7]].concat();
    check(&bytes, &[(AUDIO, 0, 23, vec![9]), (AUDIO, 0, 43, vec![8, 7])]);
    // librtmp's answer to a ping (ossrs/srs#98).
    let ping = [0x42, 0, 0, 0, 0, 0, 6, USER_CONTROL, 0, 7, 0, 0, 0x0d, 0x0f];
    check(&ping, &[(USER_CONTROL, 0, 0, vec![0, 7, 0, 0, 0x0d, 0x0f])]);
}

#[test]
fn a_message_that_another_cuts_short_is_dropped() {
    let begin = [&[0x06, 0, 0, 1, 0, 0, 200, VIDEO, 1, 0, 0, 0][..], &[0; 128]].concat();
    for (next, expected) in [
        (&[0x06, 0, 0, 2, 0, 0, 1, VIDEO, 1, 0, 0, 0, 7][..], (VIDEO, 1, 2, vec![7])),
        (&[0x06, 0, 0, 2, 0, 0, 0, VIDEO, 1, 0, 0, 0], (VIDEO, 1, 2, vec![])),
        (&[0x46, 0, 0, 2, 0, 0, 1, VIDEO, 7], (VIDEO, 1, 3, vec![7])),
        (&[&[0x06, 0, 0, 2, 0, 0, 200, AUDIO, 1, 0, 0, 0][..], &[7; 128], &[0xc6], &[7; 72]].concat(), {
            (AUDIO, 1, 2, vec![7; 200])
        }),
    ] {
        let bytes = [&begin[..], next].concat();
        check(&bytes, &[expected]);
        let (mut reader, mut rest) = (ChunkReader::new(), bytes.as_slice());
        let Ok(Some(Step::Skipped(skipped))) = reader.advance(&mut rest) else {
            panic!("nothing is skipped")
        };
        assert_eq!(skipped, Skipped::MessageCutShort { chunk_stream: 6, missing: 72, offset: 140 });
    }
}

#[test]
fn a_full_header_in_the_middle_of_its_own_message_goes_on_with_it() {
    let begin = [0x06, 0, 0, 1, 0, 0, 200, VIDEO, 1, 0, 0, 0];
    let bytes = [&begin[..], &[5; 128], &begin, &[5; 72]].concat();
    check(&bytes, &[(VIDEO, 1, 1, vec![5; 200])]);
}

#[test]
fn chunk_sizes_that_mean_nothing_change_nothing() {
    let message = [&[0x06, 0, 0, 1, 0, 0, 200, VIDEO, 1, 0, 0, 0][..], &[5; 128], &[0xc6], &[5; 72]].concat();
    let whole = [&[0x06, 0, 0, 1, 0, 0, 200, VIDEO, 1, 0, 0, 0][..], &[5; 200]].concat();
    let set = |stream: u8, payload: &[u8]| {
        let header = [stream, 0, 0, 0, 0, 0, payload.len() as u8, SET_CHUNK_SIZE, 1, 0, 0, 0];
        [&header[..], payload].concat()
    };
    let expected = [(VIDEO, 1, 1, vec![5; 200])];
    for payload in [&[][..], &[0, 1], &[0, 0, 0, 0], &[0x80, 0, 0, 0]] {
        check(&[set(2, payload), message.clone()].concat(), &expected);
    }
    // On another chunk stream, with more behind the size, with the first bit set: other servers take them.
    for payload in [&[0, 0, 0, 200][..], &[0, 0, 1, 0, 9, 9], &[0x80, 0, 1, 0], &[0xff; 4]] {
        check(&[set(3, payload), whole.clone()].concat(), &expected);
    }
}

#[test]
fn an_aborted_message_is_forgotten() {
    let mut bytes = vec![0x06, 0, 0, 10, 0, 0, 200, VIDEO, 1, 0, 0, 0];
    bytes.extend_from_slice(&[b'v'; 128]);
    bytes.extend_from_slice(&[0x02, 0, 0, 0, 0, 0, 4, ABORT, 0, 0, 0, 0, 0, 0, 0, 6]);
    bytes.extend_from_slice(&[0x06, 0, 0, 20, 0, 0, 1, VIDEO, 1, 0, 0, 0, 1]);
    check(&bytes, &[(VIDEO, 1, 20, vec![1])]);
}

const ABORT_6: [u8; 16] = [0x02, 0, 0, 0, 0, 0, 4, ABORT, 0, 0, 0, 0, 0, 0, 0, 6];

#[test]
fn an_abort_ends_the_message_of_its_own_chunk_stream_alone() {
    let video = [&[0x06, 0, 0, 10, 0, 0, 200, VIDEO, 1, 0, 0, 0][..], &[b'v'; 128]].concat();
    let audio = [&[0x04, 0, 0, 11, 0, 0, 200, AUDIO, 1, 0, 0, 0][..], &[b'a'; 128]].concat();
    let again =
        [&[0x06, 0, 0, 20, 0, 0, 200, VIDEO, 1, 0, 0, 0][..], &[b'w'; 128], &[0xc6], &[b'w'; 72]].concat();
    let rest = [&[0xc4][..], &[b'a'; 72]].concat();
    let bytes = [&video[..], &audio, &ABORT_6, &again, &rest].concat();
    check(&bytes, &[(VIDEO, 1, 20, vec![b'w'; 200]), (AUDIO, 1, 11, vec![b'a'; 200])]);
    // Where no message is under way, there is nothing to end.
    let bytes = [&again[..], &ABORT_6, &again].concat();
    check(&bytes, &[(VIDEO, 1, 20, vec![b'w'; 200]), (VIDEO, 1, 20, vec![b'w'; 200])]);
}

#[test]
fn long_chunk_stream_ids_are_read() {
    let rest = [0, 0, 1, 0, 0, 1, AUDIO, 1, 0, 0, 0, 7];
    let bytes = [&[0x00, 200][..], &rest, &[0x01, 44, 1], &rest].concat();
    check(&bytes, &[(AUDIO, 1, 1, vec![7]), (AUDIO, 1, 1, vec![7])]);
}
