//! What a peer may not do, and how much memory it can take.

use super::*;

#[test]
fn unfinished_messages_may_take_just_what_is_allowed_and_what_is_dropped_counts_no_more() {
    let mut reader = ChunkReader::new();
    reader.limit(300);
    let mut read = |bytes: &[u8]| reader.read(&mut &bytes[..]).map(|message| message.is_some());
    assert_eq!(read(&[0x02, 0, 0, 0, 0, 0, 4, SET_CHUNK_SIZE, 0, 0, 0, 0, 0, 0, 2, 0]), Ok(false));
    let begin = [0x06, 0, 0, 10, 0, 1, 144, VIDEO, 1, 0, 0, 0];
    assert_eq!(read(&[&begin[..], &[1; 200]].concat()), Ok(false));
    assert_eq!(read(&[1; 100]), Ok(false));
    assert_eq!(read(&[1; 1]), Err(Error::PartialMessagesTooLong { bytes: 301, limit: 300, offset: 328 }));

    let mut reader = ChunkReader::new();
    reader.limit(300);
    let mut read = |bytes: &[u8]| reader.read(&mut &bytes[..]).map(|message| message.is_some());
    assert_eq!(read(&[&begin[..], &[1; 128], &ABORT_6].concat()), Ok(false));
    assert_eq!(read(&[&begin[..], &[1; 128], &[0xc6], &[1; 128], &[0xc6], &[1; 44]].concat()), Ok(false));
    assert!(read(&[1; 1]).is_err());
}

#[test]
fn a_message_in_one_piece_is_lent_and_a_small_buffer_is_used_again() {
    let mut reader = ChunkReader::new();
    let begin = [0x06, 0, 0, 10, 0, 0, 100, VIDEO, 1, 0, 0, 0];
    let bytes = [&begin[..], &[1; 100]].concat();
    let lent = reader.read(&mut bytes.as_slice()).unwrap().unwrap().payload.as_ptr();
    assert_eq!(lent, bytes[begin.len()..].as_ptr());
    for _ in 0..2 {
        assert_eq!(reader.read(&mut &bytes[..50]), Ok(None));
        assert!(reader.read(&mut &bytes[50..]).unwrap().is_some());
    }
    assert_eq!(reader.read(&mut &[6][..]), Ok(None));
    assert!(reader.streams[0].partial.capacity() > 0);
}

#[test]
fn hostile_chunks_are_refused_with_their_place() {
    let refused = |bytes: &[u8]| read_all(bytes, bytes.len()).unwrap_err();
    let mut many = Vec::new();
    for id in 0..=MAX_CHUNK_STREAMS as u8 {
        many.extend_from_slice(&[0, id, 0, 0, 0, 0, 0, 1, AUDIO, 1, 0, 0, 0, 0]);
    }
    let offset = 14 * MAX_CHUNK_STREAMS as u64;
    assert_eq!(refused(&many), Error::TooManyChunkStreams { limit: MAX_CHUNK_STREAMS, offset });

    for header_type in [2, 3] {
        let error = Error::NoPrecedingChunk { header_type, chunk_stream: 4, offset: 0 };
        assert_eq!(refused(&[header_type << 6 | 4, 0, 0, 0, 1]), error);
    }
    // The number of two and of three bytes (RTMP 1.0 §5.3.1.1).
    for (bytes, chunk_stream) in
        [(&[0xc0, 0][..], 64), (&[0xc0, 200], 264), (&[0xc1, 44, 2], 620), (&[0xc1, 255, 255], 65_599)]
    {
        assert_eq!(refused(bytes), Error::NoPrecedingChunk { header_type: 3, chunk_stream, offset: 0 });
    }
}

#[test]
fn messages_that_are_cut_short_take_no_memory() {
    let mut reader = ChunkReader::new();
    let size = [0x02, 0, 0, 0, 0, 0, 4, SET_CHUNK_SIZE, 0, 0, 0, 0, 0x00, 0x10, 0, 0];
    assert_eq!(reader.read(&mut &size[..]), Ok(None));
    let piece = vec![0; 1 << 20];
    for length in 0..2 * MAX_PARTIAL_BYTES / piece.len() {
        let begin = [3, 0, 0, 0, 0xff, 0xff, length as u8, VIDEO, 1, 0, 0, 0];
        assert!(matches!(reader.read(&mut [&begin[..], &piece].concat().as_slice()), Ok(None)));
    }
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

#[test]
fn messages_that_were_read_leave_no_more_than_unfinished_ones_may_take() {
    let mut reader = ChunkReader::new();
    let size = [0x02, 0, 0, 0, 0, 0, 4, SET_CHUNK_SIZE, 0, 0, 0, 0, 0x00, 0xff, 0xff, 0xfe];
    assert_eq!(reader.read(&mut &size[..]), Ok(None));
    let length = 4 << 20;
    for id in 3..35 {
        let begin = [id, 0, 0, 0, 0x40, 0, 0, VIDEO, 1, 0, 0, 0];
        assert!(matches!(reader.read(&mut &begin[..]), Ok(None)));
        // In two pieces: it is not lent from the input.
        assert!(matches!(reader.read(&mut vec![id; length - 1].as_slice()), Ok(None)));
        let mut last = &[id][..];
        let message = reader.read(&mut last).unwrap().unwrap();
        assert!(message.payload.len() == length && message.payload.iter().all(|byte| *byte == id));
    }
    let kept: usize = reader.streams.iter().map(|stream| stream.partial.capacity()).sum();
    assert!(kept <= MAX_PARTIAL_BYTES, "{kept}");
}
