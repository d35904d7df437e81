//! The whole-file reader and the incremental demuxer give the same tags, however the bytes are split.
#![no_main]

use flv::{AudioTagHeader, Demuxer, Reader, VideoTagHeader};

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let mut whole = Vec::new();
    let mut outcome = Ok(());
    match Reader::new(bytes) {
        Ok(reader) => {
            for tag in reader {
                match tag {
                    Ok(tag) => {
                        let _ = VideoTagHeader::parse(tag.body);
                        let _ = AudioTagHeader::parse(tag.body);
                        whole.push((tag.kind, tag.timestamp_ms, tag.offset, tag.body.to_vec()));
                    }
                    Err(error) => outcome = Err(error),
                }
            }
        }
        Err(error) => outcome = Err(error),
    }

    let mut demuxer = Demuxer::new();
    let mut pieces = Vec::new();
    let mut incremental = Ok(());
    'pieces: for piece in bytes.chunks(usize::from(step) + 1) {
        demuxer.push(piece);
        loop {
            match demuxer.next_tag() {
                Ok(Some(tag)) => pieces.push((tag.kind, tag.timestamp_ms, tag.offset, tag.body.to_vec())),
                Ok(None) => break,
                Err(error) => {
                    incremental = Err(error);
                    break 'pieces;
                }
            }
        }
    }
    assert_eq!(whole, pieces);
    // If the bytes end early, only the whole-file reader reports an error: more may come for the demuxer.
    if !matches!(outcome, Err(flv::Error::Truncated { .. })) {
        assert_eq!(outcome, incremental);
    }
});
