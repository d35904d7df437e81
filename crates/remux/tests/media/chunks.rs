//! Cuts an FLV as the gateway does: at keyframes past a target, sequence headers repeated.

use flv::{AudioTagHeader, Reader, Tag, TagKind, VideoTagHeader};

/// Self-contained chunks of at least `target_ms`, each but the first beginning with a keyframe, or with audio
/// where there is no video.
pub(crate) fn cut(file: &[u8], target_ms: u32) -> Vec<Vec<u8>> {
    let tags: Vec<Tag<'_>> = Reader::new(file).unwrap().collect::<Result<_, _>>().unwrap();
    let has_video = tags.iter().any(|tag| tag.kind == TagKind::Video);
    let (mut video_header, mut audio_header) = (None, None);
    let mut chunks: Vec<Vec<u8>> = Vec::new();
    let (mut started_ms, mut has_media) = (0, false);
    for tag in &tags {
        if tag.kind == TagKind::Script {
            continue;
        }
        let (is_header, is_cut) = match tag.kind {
            TagKind::Video => {
                let message = VideoTagHeader::parse(tag.body).unwrap();
                (message.is_sequence_header(), message.is_keyframe())
            }
            _ => (AudioTagHeader::parse(tag.body).unwrap().is_sequence_header(), !has_video),
        };
        if is_header {
            let header = if tag.kind == TagKind::Video { &mut video_header } else { &mut audio_header };
            *header = Some(tag.body);
        }
        if chunks.is_empty() || is_cut && has_media && tag.timestamp_ms - started_ms >= target_ms {
            has_media = false;
            let mut chunk = Vec::new();
            flv::write_header(&mut chunk, true, true);
            for (kind, header) in [(TagKind::Video, video_header), (TagKind::Audio, audio_header)] {
                if let Some(body) = header.filter(|_| !chunks.is_empty()) {
                    flv::write_tag(&mut chunk, kind, tag.timestamp_ms, body).unwrap();
                }
            }
            started_ms = tag.timestamp_ms;
            chunks.push(chunk);
        }
        // The first chunk has to hold what sequences begin with before it can end.
        has_media |= is_cut && !is_header;
        let chunk = chunks.last_mut().unwrap();
        flv::write_tag(chunk, tag.kind, tag.timestamp_ms, tag.body).unwrap();
    }
    chunks
}
