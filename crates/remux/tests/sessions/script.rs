//! Script data: a transport stream carries none, and says so.

use flv::TagKind::{Script, Video};

use crate::chunk::{AVC_1080, Chunk, record};

#[test]
fn script_data_is_counted_by_its_name() {
    let script = |name: &str| [&[2, 0, name.len() as u8], name.as_bytes(), &[5]].concat();
    let chunk = Chunk::with_headers()
        .tag(Script, 0, &script("onMetaData"))
        .key(0)
        .tag(Script, 10, &script("onTextData"))
        .tag(Script, 20, &script("onCuePoint"))
        .tag(Script, 30, &script("onTextData"))
        .tag(Script, 40, &[0x05]);
    let (slice, stream) = record(&chunk, &[]);
    let left_out: Vec<_> =
        slice.left_out.iter().map(|entry| (entry.kind, &*entry.name, entry.messages)).collect();
    assert_eq!(left_out, [(Script, "onTextData", 2), (Script, "onCuePoint", 1), (Script, "", 1)]);
    assert_eq!(stream, record(&Chunk::with_headers().key(0), &[]).1);
}

#[test]
fn names_are_shown_in_part_and_escaped() {
    let name = [&[b'a'; 100][..], b"\0\n"].concat();
    let body = [&[2, 0, name.len() as u8], &name[..]].concat();
    let odd = [&[2, 0, 2][..], b"\0\n"].concat();
    let chunk = Chunk::new().tag(Video, 0, AVC_1080).tag(Script, 0, &body).tag(Script, 0, &odd);
    let (slice, _) = record(&chunk, &[]);
    assert_eq!(slice.left_out[0].name, "a".repeat(64));
    assert_eq!(slice.left_out[1].name, "\\x00\\n");
}
