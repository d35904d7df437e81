//! What the slices of playlists hold: a reader of transport streams, which shares nothing with what writes them.

use std::collections::BTreeMap;

use super::codecs::{Codec, MP3_SIZE, Sound};
use super::frame::{self, Frame, frames};
use super::held::{CLOCK_ENDS, Held, Timed, check_coded, check_parameters, nothing};
use super::shape::Shape;
use super::slots::Track;

/// Bytes of a packet (13818-1 §2.4.3.2).
const PACKET: usize = 188;

/// What each packet begins with.
const SYNC_BYTE: u8 = 0x47;

/// What begins what is kept of a slice, so that nothing else is taken for it.
const KEPT: [u8; 4] = *b"kept";

/// Bytes of a frame and its two times there.
const KEPT_FRAME: usize = frame::LENGTH + 2 * size_of::<u64>();

/// The bytes that a PID has carried between two starts of a unit.
#[derive(Default)]
struct Unit {
    /// Decoding can begin with it (13818-1 §2.4.3.4).
    is_entry: bool,
    bytes: Vec<u8>,
}

/// The frames of a slice, or of what [`frames_of_slice`] has left of one.
///
/// # Errors
/// What of it cannot be read or is not as it was pushed, in words.
pub fn read_slice(bytes: &[u8]) -> Result<Held, String> {
    let mut held = nothing();
    if let Some(kept) = bytes.strip_prefix(&KEPT) {
        for (track, timed) in kept_frames(kept) {
            held.entry(track).or_default().push(timed);
        }
        return Ok(held);
    }
    let mut elements = elements(bytes)?;
    let programs = elements.remove(&0).ok_or("it has no PAT")?;
    let map = u16::from_be_bytes(*section(&programs)?.last_chunk().ok_or("its PAT is empty")?) & 0x1fff;
    let map = elements.remove(&map).ok_or("it has no PMT")?;
    let streams = streams(section(&map)?)?;
    for (pid, units) in elements {
        let stream_type = streams.get(&pid).ok_or_else(|| format!("the PMT does not know PID {pid}"))?;
        for unit in units {
            let (track, timed) = read_unit(*stream_type, &unit)?;
            held.entry(track).or_default().extend(timed);
        }
    }
    Ok(held)
}

/// The frames of a slice with their times and nothing else. Nothing, where something is wrong with it.
#[must_use]
pub fn frames_of_slice(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut kept = KEPT.to_vec();
    for timed in read_slice(bytes).ok()?.into_values().flatten() {
        frame::write(timed.frame, &mut kept);
        kept.extend(timed.decoded.to_be_bytes());
        kept.extend(timed.presented.to_be_bytes());
    }
    Some(kept)
}

/// What [`frames_of_slice`] has left, whatever stands behind it.
fn kept_frames(bytes: &[u8]) -> Vec<(Track, Timed)> {
    let read = |kept: &[u8; KEPT_FRAME]| {
        let (rest, presented) = kept.split_last_chunk()?;
        let (rest, decoded) = rest.split_last_chunk()?;
        let frame = frame::read(rest)?;
        let timed =
            Timed { frame, decoded: u64::from_be_bytes(*decoded), presented: u64::from_be_bytes(*presented) };
        Some((Shape::of(frame.0).coded(frame.1)?.track, timed))
    };
    bytes.as_chunks().0.iter().map_while(read).collect()
}

/// What each PID carries.
fn elements(bytes: &[u8]) -> Result<BTreeMap<u16, Vec<Unit>>, String> {
    let (packets, rest) = bytes.as_chunks::<PACKET>();
    if packets.is_empty() || !rest.is_empty() {
        return Err(format!("it has {} bytes behind {} packets", rest.len(), packets.len()));
    }
    let mut elements: BTreeMap<u16, Vec<Unit>> = BTreeMap::new();
    let mut counters: BTreeMap<u16, u8> = BTreeMap::new();
    for packet in packets {
        let [SYNC_BYTE, second, third, flags, ..] = *packet else {
            return Err(format!("a packet begins with {:02x?}", &packet[..4]));
        };
        let pid = u16::from_be_bytes([second & 0x1f, third]);
        let (begin, is_entry) = match flags >> 4 & 3 {
            1 => (4, false),
            2 => continue,
            3 => (5 + usize::from(packet[4]), packet[4] > 0 && packet[5] & 0x40 != 0),
            _ => return Err(format!("a packet of PID {pid} has a reserved adaptation field control")),
        };
        let counter = flags & 0xf;
        if counters.insert(pid, counter).is_some_and(|before| (before + 1) & 0xf != counter) {
            return Err(format!("PID {pid} goes on with the continuity counter {counter}"));
        }
        let units = elements.entry(pid).or_default();
        if second & 0x40 != 0 {
            units.push(Unit { is_entry, bytes: Vec::new() });
        }
        let payload = packet.get(begin..).ok_or("an adaptation field is too long")?;
        units.last_mut().ok_or("a packet goes on with what has not begun")?.bytes.extend(payload);
    }
    Ok(elements)
}

/// The first section of a table, without its header and its checksum (13818-1 §2.4.4).
fn section(units: &[Unit]) -> Result<&[u8], String> {
    let read = || {
        let (pointer, rest) = units.first()?.bytes.split_first()?;
        let section = rest.get(usize::from(*pointer)..)?;
        let length = usize::from(u16::from_be_bytes([section.get(1)? & 0xf, *section.get(2)?]));
        section.get(8..(3 + length).checked_sub(4)?)
    };
    read().ok_or_else(|| "a table ends early".into())
}

/// The type of each stream of a PMT (13818-1 §2.4.4.9).
fn streams(section: &[u8]) -> Result<BTreeMap<u16, u8>, String> {
    let length = |at: usize| {
        let field = section.get(at..at + 2)?;
        Some(usize::from(u16::from_be_bytes([field[0] & 0xf, field[1]])))
    };
    let (mut streams, mut at) = (BTreeMap::new(), 4 + length(2).ok_or("a PMT ends early")?);
    while let Some(&[stream_type, high, low]) = section.get(at..at + 3) {
        streams.insert(u16::from_be_bytes([high & 0x1f, low]), stream_type);
        at += 5 + length(at + 3).ok_or("a PMT ends early")?;
    }
    Ok(streams)
}

/// The frames of a PES packet: of pictures one.
fn read_unit(stream_type: u8, unit: &Unit) -> Result<(Track, Vec<Timed>), String> {
    let (decoded, presented, payload) = pes(&unit.bytes).ok_or("a PES packet has no times")?;
    // Table 2-34 of 13818-1.
    let codec = match stream_type {
        0x1b => Codec::Avc,
        0x24 => Codec::Hevc,
        0x10 => Codec::Mpeg4,
        0x0f => return read_sound(Sound::Aac, decoded, payload).map(|timed| (Track::Audio, timed)),
        0x04 => return read_sound(Sound::Mp3, decoded, payload).map(|timed| (Track::Audio, timed)),
        other => return Err(format!("a stream has the type {other:#x}")),
    };
    let frame = one_frame(payload)?;
    if codec != Shape::of(frame.0).codec(frame.1) {
        return Err(format!("{frame:?} is told to be of {codec:?}"));
    }
    let begin = memchr::memmem::rfind(payload, &[0, 0, 1]).ok_or("a picture has no start code")?;
    check_coded(frame, Track::Video, unit.is_entry, &payload[begin + 3..])?;
    if unit.is_entry {
        check_parameters(frame, &payload[..begin])?;
    }
    Ok((Track::Video, vec![Timed { frame, decoded, presented }]))
}

fn one_frame(bytes: &[u8]) -> Result<Frame, String> {
    match frames(bytes)[..] {
        [frame] => Ok(frame),
        ref others => Err(format!("a frame holds {others:?}")),
    }
}

/// Frames of sound: each follows the one before as soon as that is over.
fn read_sound(sound: Sound, first: u64, mut payload: &[u8]) -> Result<Vec<Timed>, String> {
    let mut held = Vec::new();
    while !payload.is_empty() {
        let size = match sound {
            Sound::Mp3 => MP3_SIZE,
            Sound::Aac | Sound::ShortAac => adts_size(payload)?,
        };
        let (bytes, rest) = payload.split_at_checked(size).ok_or("a frame of sound ends early")?;
        let coded = if sound == Sound::Mp3 { bytes } else { &bytes[ADTS..] };
        let frame = one_frame(coded)?;
        let pushed = Shape::of(frame.0).sound(frame.1);
        if sound.codec() != pushed.codec() || sound != Sound::Mp3 && bytes[2] & 0xfd != pushed.adts() {
            return Err(format!("{frame:?} is told to be of {sound:?}"));
        }
        check_coded(frame, Track::Audio, true, coded)?;
        let time = (first + 90 * pushed.frame_ms() * held.len() as u64) % CLOCK_ENDS;
        held.push(Timed { frame, decoded: time, presented: time });
        payload = rest;
    }
    if held.is_empty() { Err("a PES packet is empty".into()) } else { Ok(held) }
}

/// Bytes of an ADTS header without a checksum (14496-3 §1.A.2.2).
const ADTS: usize = 7;

/// Bytes of an ADTS frame of one channel.
fn adts_size(bytes: &[u8]) -> Result<usize, String> {
    let header: &[u8; ADTS] = bytes.first_chunk().ok_or("an ADTS frame ends early")?;
    let size = usize::from(header[3] & 3) << 11 | usize::from(header[4]) << 3 | usize::from(header[5] >> 5);
    let is_it = header[..2] == [0xff, 0xf1] && header[2] & 1 == 0 && header[3] >> 6 == 1;
    if is_it && size > ADTS { Ok(size) } else { Err(format!("a frame has the ADTS header {header:02x?}")) }
}

/// DTS, PTS and payload of a PES packet (13818-1 §2.4.3.6).
fn pes(bytes: &[u8]) -> Option<(u64, u64, &[u8])> {
    let rest = bytes.strip_prefix(&[0, 0, 1])?;
    // Those of pictures alone may say no length.
    let length = usize::from(u16::from_be_bytes([*rest.get(1)?, *rest.get(2)?]));
    let is_right = if length == 0 { rest[0] & 0xf0 == 0xe0 } else { length == rest.len() - 3 };
    is_right.then_some(())?;
    let time = |at: usize| {
        let bits = rest.get(at..at + 5)?.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        Some(bits >> 3 & 7 << 30 | bits >> 2 & 0x7fff << 15 | bits >> 1 & 0x7fff)
    };
    let (presented, decoded) = match rest.get(4)? >> 6 {
        2 => (time(6)?, time(6)?),
        3 => (time(6)?, time(11)?),
        _ => return None,
    };
    Some((decoded, presented, rest.get(6 + usize::from(*rest.get(5)?)..)?))
}
