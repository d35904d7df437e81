//! What encoders were reported to send, rebuilt by rewriting the corpus: it is recorded as the corpus itself is.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
};

use flv::{Reader, Tag, TagKind};
use media::RepairKind;

use crate::{
    chunks, compare,
    corpus::{record, start_ms},
    entries::{Sample, sample},
    ffmpeg, record_files, transport_stream,
};

/// What precedes the payload of a legacy AVC or HEVC message, and of an AAC message.
const VIDEO_HEADER: usize = 5;
const AUDIO_HEADER: usize = 2;

/// Records an entry whose messages were rewritten, and compares it with the entry: every unit, frame and time. What was
/// set right is counted as `repairs`.
fn check(name: &str, repairs: &[RepairKind], rewrite: impl Fn(&Tag<'_>) -> Vec<Vec<u8>>) {
    if !ffmpeg::is_installed() {
        return;
    }
    let Sample { flv, source, .. } = sample(name);
    let mut rewritten = Vec::new();
    flv::write_header(&mut rewritten, true, true);
    for tag in Reader::new(&flv).unwrap().map(Result::unwrap) {
        for body in rewrite(&tag) {
            flv::write_tag(&mut rewritten, tag.kind, tag.timestamp_ms, &body).unwrap();
        }
    }
    let slices = record(&chunks::cut(&rewritten, 2_000));
    assert!(slices.iter().all(|(slice, _)| slice.independent && !slice.discontinuity), "{name}");
    let counted: BTreeSet<_> =
        slices.iter().flat_map(|(slice, _)| slice.repairs.iter().map(|(kind, _)| kind.name())).collect();
    assert_eq!(counted, repairs.iter().map(|kind| kind.name()).collect(), "{name}");
    let stream: Vec<u8> = slices.iter().flat_map(|(_, stream)| stream).copied().collect();
    transport_stream::check_multiplex(&stream, 9_000);
    let (video, audio) = transport_stream::pes_packets(&stream);
    let base = mpegts::PTS_BASE_90KHZ - start_ms(&flv) * 90;
    compare::video(source.video.as_ref().unwrap(), &video, base, 0);
    if let Some(source) = &source.audio {
        let rate_hz = slices[0].0.audio.as_ref().unwrap().sample_rate_hz;
        compare::audio(source, &audio, base, 1_024.0 * 90_000.0 / f64::from(rate_hz));
    }
    static MADE: AtomicU32 = AtomicU32::new(0);
    let file = record_files::mp4(&record_files::samples(&chunks::cut(&rewritten, 2_000)));
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let path = record_files::write(name, &format!("reported-{number}.mp4"), &file);
    record_files::same(name, &source, &path);
}

/// The body of a track's sequence header.
fn header(file: &[u8], kind: TagKind) -> Vec<u8> {
    let mut tags = Reader::new(file).unwrap().map(Result::unwrap);
    tags.find(|tag| tag.kind == kind && is_header(tag)).unwrap().body.to_vec()
}

fn is_header(tag: &Tag<'_>) -> bool {
    tag.kind != TagKind::Script && tag.body[1] == 0
}

fn is_picture(tag: &Tag<'_>) -> bool {
    tag.kind == TagKind::Video && tag.body[1] == 1
}

fn is_key(tag: &Tag<'_>) -> bool {
    is_picture(tag) && tag.body[0] >> 4 == 1
}

fn is_sound(tag: &Tag<'_>) -> bool {
    tag.kind == TagKind::Audio && !is_header(tag)
}

fn as_it_is(tag: &Tag<'_>) -> Vec<Vec<u8>> {
    vec![tag.body.to_vec()]
}

/// A message with another payload behind its header.
fn with_payload(tag: &Tag<'_>, payload: &[u8]) -> Vec<u8> {
    let header = if tag.kind == TagKind::Video { VIDEO_HEADER } else { AUDIO_HEADER };
    [&tag.body[..header], payload].concat()
}

/// The NAL units of a picture.
fn units<'a>(tag: &Tag<'a>) -> Vec<&'a [u8]> {
    let (mut units, mut rest) = (Vec::new(), &tag.body[VIDEO_HEADER..]);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (unit, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        units.push(unit);
        rest = after;
    }
    units
}

fn with_lengths(units: &[&[u8]]) -> Vec<u8> {
    units.iter().flat_map(|unit| [&(unit.len() as u32).to_be_bytes(), *unit].concat()).collect()
}

/// The two parameter sets of an avcC record (14496-15 §5.3.3.1) that has one of each kind.
fn parameter_sets(record: &[u8]) -> [Vec<u8>; 2] {
    let set = |at: usize| {
        let end = at + 2 + usize::from(u16::from_be_bytes([record[at], record[at + 1]]));
        (record[at + 2..end].to_vec(), end)
    };
    let (sps, end) = set(6);
    [sps, set(end + 1).0]
}

#[test]
fn start_codes_in_place_of_lengths() {
    for name in ["h264_aac", "hevc_id12"] {
        for start_code in [&[0, 0, 0, 1][..], &[0, 0, 1]] {
            check(name, &[RepairKind::StartCodesForLengths], |tag| match is_picture(tag) {
                true => {
                    let stream =
                        units(tag).iter().flat_map(|unit| [start_code, unit].concat()).collect::<Vec<_>>();
                    vec![with_payload(tag, &stream)]
                }
                false => as_it_is(tag),
            });
        }
    }
}

#[test]
fn bytes_after_the_last_unit() {
    for name in ["h264_aac", "hevc_id12"] {
        for (stray, repairs) in
            [(&[0, 0, 0, 0][..], &[][..]), (&[0, 0], &[]), (&[0x5a, 0xa5], &[RepairKind::StrayBytes])]
        {
            check(name, repairs, |tag| match is_picture(tag) {
                true => vec![[tag.body, stray].concat()],
                false => as_it_is(tag),
            });
        }
    }
}

#[test]
fn parameter_sets_in_the_stream_alone() {
    if !ffmpeg::is_installed() {
        return;
    }
    let record = header(&sample("h264_aac").flv, TagKind::Video)[VIDEO_HEADER..].to_vec();
    let sets = parameter_sets(&record);
    let sets: Vec<&[u8]> = sets.iter().map(Vec::as_slice).collect();
    let none = [&record[..5], &[0xe0, 0]].concat();
    // Beside a record without any, and without a record; in the keyframe's message, and in one of their own.
    for has_record in [true, false] {
        for is_apart in [true, false] {
            let mut repairs = vec![RepairKind::ParameterSetsInStream];
            repairs.extend(is_apart.then_some(RepairKind::MessageWithoutFrame));
            check("h264_aac", &repairs, |tag| match tag.kind {
                TagKind::Video if is_header(tag) && has_record => vec![with_payload(tag, &none)],
                TagKind::Video if is_header(tag) => Vec::new(),
                TagKind::Video if is_key(tag) && is_apart => {
                    vec![with_payload(tag, &with_lengths(&sets)), tag.body.to_vec()]
                }
                TagKind::Video if is_key(tag) => {
                    vec![with_payload(tag, &with_lengths(&[&sets[..], &units(tag)].concat()))]
                }
                _ => as_it_is(tag),
            });
        }
    }
}

#[test]
fn a_message_for_each_slice() {
    check("h264_multislice", &[RepairKind::PictureInPieces], |tag| match is_picture(tag) {
        true => {
            let (mut messages, mut before) = (Vec::new(), Vec::new());
            for unit in units(tag) {
                before.push(unit);
                if matches!(unit[0] & 0x1f, 1 | 5) {
                    messages.push(with_payload(tag, &with_lengths(&std::mem::take(&mut before))));
                }
            }
            assert!(messages.len() > 1, "the entry has slices");
            messages
        }
        false => as_it_is(tag),
    });
}

#[test]
fn adts_in_messages() {
    if !ffmpeg::is_installed() {
        return;
    }
    let sample = sample("h264_aac");
    let record = header(&sample.flv, TagKind::Audio)[AUDIO_HEADER..][..2].try_into().unwrap();
    for (has_record, repairs) in [
        (true, &[RepairKind::AdtsHeader][..]),
        (false, &[RepairKind::AdtsHeader, RepairKind::ConfigurationFromAdts]),
    ] {
        for has_checksum in [true, false] {
            check("h264_aac", repairs, |tag| match tag.kind {
                TagKind::Audio if is_header(tag) && !has_record => Vec::new(),
                TagKind::Audio if is_sound(tag) => {
                    vec![with_payload(tag, &adts(record, &tag.body[AUDIO_HEADER..], has_checksum))]
                }
                _ => as_it_is(tag),
            });
        }
    }
}

/// A frame behind an ADTS header (14496-3 §1.A.2), whose fields are those of the AudioSpecificConfig (§1.6.2.1).
fn adts(record: [u8; 2], frame: &[u8], has_checksum: bool) -> Vec<u8> {
    let record = u64::from(u16::from_be_bytes(record));
    let (object_type, rate, channels) = (record >> 11, record >> 7 & 0xf, record >> 3 & 0xf);
    let checksum: &[u8] = if has_checksum { &[0xaa, 0xbb] } else { &[] };
    let length = (7 + checksum.len() + frame.len()) as u64;
    let sync = if has_checksum { 0xfff0 } else { 0xfff1 };
    let profile = object_type - 1;
    let header = sync << 40 | profile << 38 | rate << 34 | channels << 30 | length << 13 | 0x7ff << 2;
    [&header.to_be_bytes()[1..], checksum, frame].concat()
}
