use super::*;
use crate::{write_header, write_previous_tag_size, write_tag, write_tag_header};

fn sample() -> Vec<u8> {
    let mut file = Vec::new();
    write_header(&mut file, true, true);
    write_tag(&mut file, TagKind::Script, 0, b"onMetaData").expect("short");
    write_tag(&mut file, TagKind::Video, 0xfedc_ba98, &[0x17, 0, 0, 0, 0]).expect("short");
    write_tag(&mut file, TagKind::Audio, 7, &[]).expect("short");
    file
}

fn collect(demuxer: &mut Demuxer, tags: &mut Vec<(TagKind, u32, u64, Vec<u8>)>) {
    while let Some(tag) = demuxer.next_tag().expect("valid") {
        tags.push((tag.kind, tag.timestamp_ms, tag.offset, tag.body.to_vec()));
    }
}

#[test]
fn every_split_gives_the_same_tags() {
    let file = sample();
    let whole: Vec<_> = Reader::new(&file)
        .unwrap()
        .map(|tag| tag.map(|tag| (tag.kind, tag.timestamp_ms, tag.offset, tag.body.to_vec())).unwrap())
        .collect();
    assert_eq!(whole.len(), 3);
    assert_eq!(whole[1].1, 0xfedc_ba98);

    let mut single = (Demuxer::new(), Vec::new());
    for byte in &file {
        single.0.push(std::slice::from_ref(byte));
        collect(&mut single.0, &mut single.1);
    }
    assert_eq!(single.1, whole);

    for split in 0..=file.len() {
        let mut tags = Vec::new();
        let mut demuxer = Demuxer::new();
        for part in [&file[..split], &file[split..]] {
            demuxer.push(part);
            collect(&mut demuxer, &mut tags);
        }
        assert_eq!(tags, whole, "split at {split}");
    }
}

#[test]
fn every_cut_inside_a_tag_is_an_error_with_its_place() {
    let file = sample();
    // Where the file header and each tag begin.
    let tags = Reader::new(&file).unwrap().map(|tag| tag.map(|tag| tag.offset).unwrap());
    let begins: Vec<u64> = std::iter::once(0).chain(tags).chain([file.len() as u64]).collect();
    for cut in 0..=file.len() as u64 {
        let outcome = Reader::new(&file[..cut as usize]).and_then(|tags| tags.collect::<Result<Vec<_>, _>>());
        if cut > 0 && begins.contains(&cut) {
            assert!(outcome.is_ok(), "a cut between tags at {cut}");
            continue;
        }
        let at = begins.partition_point(|begin| *begin <= cut) - 1;
        let (offset, available) = (begins[at], cut - begins[at]);
        // How long a tag is stands in its header.
        let is_known = at == 0 || available >= TAG_HEADER_SIZE as u64;
        let needed = if is_known { begins[at + 1] - offset } else { TAG_HEADER_SIZE as u64 };
        assert_eq!(outcome, Err(Error::Truncated { offset, needed, available }), "a cut at {cut}");
    }
}

#[test]
fn unknown_and_encrypted_tag_types_are_refused() {
    for found in [0_u8, 7, 10, 0x29, 0xff] {
        let mut file = sample();
        file[FILE_HEADER_SIZE] = found;
        let first = Reader::new(&file).unwrap().next();
        assert_eq!(first, Some(Err(Error::TagType { found, offset: 13 })));
    }
}

#[test]
fn kinds_have_names_and_numbers() {
    let kinds = [TagKind::Audio, TagKind::Video, TagKind::Script];
    assert_eq!(kinds.map(TagKind::name), ["audio", "video", "script"]);
    assert_eq!(kinds.map(TagKind::wire), [8, 9, 18]);
}

#[test]
fn a_header_that_is_not_flv_is_refused() {
    assert_eq!(Reader::new(b"GIF89a+++++++").err(), Some(Error::Signature { found: *b"GIF8" }));
    let short = b"FLV\x01\x05\x00\x00\x00\x08\x00\x00\x00\x00";
    assert_eq!(Reader::new(short).err(), Some(Error::HeaderLength { found: 8 }));
    let huge = b"FLV\x01\x05\xff\xff\xff\xff\x00\x00\x00\x00";
    assert!(matches!(Reader::new(huge), Err(Error::Truncated { .. })));
}

#[test]
fn the_longest_body_is_written_and_a_longer_one_refused() {
    let mut out = Vec::new();
    write_tag_header(&mut out, TagKind::Video, 0xff_ffff, 0).unwrap();
    write_previous_tag_size(&mut out, 0xff_ffff);
    assert_eq!(out, [9, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x0a]);
    let refused = write_tag_header(&mut out, TagKind::Video, 0x100_0000, 0);
    assert_eq!(refused, Err(Error::BodyTooLong { found: 0x100_0000 }));
    assert_eq!(out.len(), 15);
}
