//! Where a crash has left a chunk: its last whole tag.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use flv::{FILE_HEADER_SIZE, TAG_HEADER_SIZE, TagClass, TagHeader};

/// Bytes of a body that tell what most tags are.
const BODY_START: usize = 64;

/// Cuts a chunk back to whole tags and returns the bytes left; 0 when it holds no coded frame.
pub(super) fn trim(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut whole = FILE_HEADER_SIZE as u64;
    let mut has_frame = false;
    while let Some(header) = whole_tag(&file, whole, size)? {
        has_frame = has_frame || may_be_frame(&file, whole, &header)?;
        whole += u64::from(header.tag_size());
    }
    if !has_frame {
        return Ok(0);
    }
    if whole < size
        && let Err(error) = cut(path, whole)
    {
        // No more is sent of it.
        tracing::error!("{} cannot be cut: {error}", path.display());
    }
    Ok(whole)
}

fn cut(path: &Path, bytes: u64) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(bytes)
}

/// The header of the tag at `offset`, or `None` if no whole tag is there.
fn whole_tag(file: &File, offset: u64, size: u64) -> io::Result<Option<TagHeader>> {
    if offset + TAG_HEADER_SIZE as u64 > size {
        return Ok(None);
    }
    let mut header = [0; TAG_HEADER_SIZE];
    file.read_exact_at(&mut header, offset)?;
    // After a loss of power a file may have its length and not its bytes.
    let Some(header) = TagHeader::parse(&header) else { return Ok(None) };
    let end = offset + u64::from(header.tag_size());
    if end > size {
        return Ok(None);
    }
    let mut previous_tag_size = [0; 4];
    file.read_exact_at(&mut previous_tag_size, end - 4)?;
    let is_whole = u32::from_be_bytes(previous_tag_size) == header.previous_tag_size();
    Ok(is_whole.then_some(header))
}

/// Whether a whole tag is a coded frame. One of which that cannot be told is taken for one: media is not deleted in doubt.
fn may_be_frame(file: &File, offset: u64, header: &TagHeader) -> io::Result<bool> {
    let mut class = TagClass::Unknown;
    // The length of a body has 24 bits: no more than 16 MiB are read.
    for bytes in [BODY_START.min(header.body_size as usize), header.body_size as usize] {
        if class == TagClass::Unknown {
            let mut body = vec![0; bytes];
            file.read_exact_at(&mut body, offset + TAG_HEADER_SIZE as u64)?;
            class = TagClass::of(header.kind, &body);
        }
    }
    Ok(class.is_frame() || class == TagClass::Unknown)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_chunk_torn_at_any_byte_keeps_its_whole_tags() {
        let mut bytes = Vec::new();
        flv::write_header(&mut bytes, true, true);
        let mut ends = vec![(bytes.len(), false)];
        let bodies: [(flv::TagKind, &[u8], bool); 5] = [
            (flv::TagKind::Video, &[0x17, 0, 0, 0, 0, 1, 2, 3], false),
            (flv::TagKind::Audio, &[0xaf, 0, 0x12, 0x10], false),
            (flv::TagKind::Video, &[0x17, 1, 0, 0, 0, 9, 9, 9, 9, 9], true),
            (flv::TagKind::Audio, &[0xaf, 1, 7], true),
            (flv::TagKind::Video, &[0x27; 100], true),
        ];
        for (kind, body, has_frame) in bodies {
            flv::write_tag(&mut bytes, kind, 40, body).unwrap();
            ends.push((bytes.len(), has_frame));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0000000000+1+0.0.flv");
        for torn in 0..=bytes.len() {
            fs::write(&path, &bytes[..torn]).unwrap();
            let last = ends.iter().rfind(|(end, _)| *end <= torn);
            let expected = last.filter(|(_, has_frame)| *has_frame).map_or(0, |(end, _)| *end);
            assert_eq!(trim(&path).unwrap(), expected as u64, "torn at {torn}");
            if expected > 0 {
                assert_eq!(fs::read(&path).unwrap(), bytes[..expected], "torn at {torn}");
            }
        }
        // A tail of zeros: the length was written and the bytes were not.
        let lost = [&bytes[..ends[4].0], &[0; 115]].concat();
        fs::write(&path, lost).unwrap();
        assert_eq!(trim(&path).unwrap(), ends[4].0 as u64);
    }
    /// A picture of many tracks (E-RTMP v2), of each of which there are so many bytes.
    fn many_tracks(packet_type: u8, bytes: usize) -> Vec<u8> {
        let mut body = [&[0x96, 0x10 | packet_type][..], b"avc1"].concat();
        for track in [1, 0] {
            body.push(track);
            body.extend_from_slice(&(bytes as u32).to_be_bytes()[1..]);
            body.resize(body.len() + bytes, 7);
        }
        body
    }

    #[test]
    fn what_a_tag_is_may_be_said_anywhere_in_its_body() {
        use flv::TagKind::{Audio, Video};
        let one_track = [b"\x96\x01avc1\0\0\0\0", &[7; 300][..]].concat();
        // The size of the prefix is one less.
        let long_prefix = [&[0x97, 254][..], &[0; 255], b"\x01avc1\0\0\0", &[7; 300]].concat();
        let long_header = [&[0x97, 254][..], &[0; 255], b"\x00avc1", &[1; 40]].concat();
        let sound = [b"\x95\x11mp4a\x01\0\x01\0", &[7; 256][..], b"\0\0\x01\0", &[7; 256]].concat();
        let cases = [
            (Video, many_tracks(1, 200), true),
            (Video, many_tracks(1, 20), true),
            (Video, many_tracks(0, 200), false),
            (Video, one_track, true),
            (Video, long_prefix, true),
            (Video, long_header, false),
            (Audio, sound, true),
            // Another gateway may have known what it is.
            (Video, vec![0x17, 9, 0, 0, 0, 7, 7, 7], true),
            (Video, [b"\x9eavc1", &[7; 300][..]].concat(), true),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0000000000+1+0.0.flv");
        for (kind, body, is_media) in cases {
            let mut bytes = Vec::new();
            flv::write_header(&mut bytes, true, true);
            flv::write_tag(&mut bytes, Video, 40, &[0x17, 0, 0, 0, 0, 1, 2, 3]).unwrap();
            flv::write_tag(&mut bytes, kind, 40, &body).unwrap();
            let whole = bytes.len() as u64;
            bytes.extend_from_slice(&[9, 0]);
            fs::write(&path, &bytes).unwrap();
            let expected = if is_media { whole } else { 0 };
            assert_eq!(trim(&path).unwrap(), expected, "{:02x?}", &body[..body.len().min(12)]);
        }
    }
}
