//! What the slices of playlists hold: a reader of transport streams, which shares nothing with what writes them.

use std::collections::BTreeMap;

use super::frame::{self, Frame, frames};
use super::shape::{Shape, Track, check_parameters, is_of};

/// Bytes of a packet (13818-1 §2.4.3.2).
const PACKET: usize = 188;

/// What each packet begins with.
const SYNC_BYTE: u8 = 0x47;

/// What stands for no time in what is left of a slice.
const UNTIMED: u64 = u64::MAX;

/// Bytes of a frame and its time there.
const KEPT: usize = frame::LENGTH + size_of::<u64>();

/// The frames of a track with their presentation times, where something says those. Unit: 90 kHz, in 33 bits.
pub type Found = Vec<(Frame, Option<u64>)>;

/// The frames of a slice, or of what [`frames_of_slice`] has left of one, by tracks.
///
/// # Errors
/// What of it cannot be read, in words.
pub fn read_slice(bytes: &[u8]) -> Result<BTreeMap<Track, Found>, String> {
    let found = match bytes.first() {
        Some(&SYNC_BYTE) => timed_frames(bytes)?,
        _ => kept_frames(bytes),
    };
    let of = |track| (track, found.iter().copied().filter(|(frame, _)| is_of(track, *frame)).collect());
    Ok(Track::ALL.map(of).into())
}

/// The frames of a slice with their times and nothing else, by tracks. Nothing, where something is wrong with it.
#[must_use]
pub fn frames_of_slice(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    for (frame, pts) in read_slice(bytes).ok()?.into_values().flatten() {
        frame::write(frame, &mut kept);
        kept.extend(pts.unwrap_or(UNTIMED).to_be_bytes());
    }
    Some(kept)
}

/// What [`frames_of_slice`] has left, whatever stands behind it.
fn kept_frames(bytes: &[u8]) -> Found {
    let (kept, _) = bytes.as_chunks::<KEPT>();
    let read = kept.iter().map_while(|kept| {
        let (frame, pts) = kept.split_last_chunk()?;
        Some((frame::read(frame)?, Some(u64::from_be_bytes(*pts)).filter(|pts| *pts != UNTIMED)))
    });
    read.collect()
}

/// The frames of each program element, one element after the other.
fn timed_frames(bytes: &[u8]) -> Result<Found, String> {
    let mut elements: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
    let (packets, rest) = bytes.as_chunks::<PACKET>();
    if !rest.is_empty() {
        return Err(format!("{} bytes stand behind its last packet", rest.len()));
    }
    for packet in packets {
        let [SYNC_BYTE, second, third, flags, ..] = *packet else {
            return Err(format!("a packet begins with {:?}", &packet[..4]));
        };
        let begin = match flags >> 4 & 3 {
            1 => 4,
            3 => 5 + usize::from(packet[4]),
            _ => continue,
        };
        let payload = packet.get(begin..).ok_or("an adaptation field is too long")?;
        let element = elements.entry(u16::from_be_bytes([second & 0x1f, third])).or_default();
        if second & 0x40 != 0 {
            element.push(Vec::new());
        }
        element.last_mut().ok_or("a packet goes on with what has not begun")?.extend(payload);
    }
    let mut found = Found::new();
    // What begins otherwise is a section of tables.
    for pes in elements.into_values().flatten().filter(|bytes| bytes.starts_with(&[0, 0, 1])) {
        // A PES packet's time is that of the first frame that begins in it (13818-1 §2.4.3.7).
        let times = std::iter::once(presentation_time(&pes)).chain(std::iter::repeat(None));
        let frames = frames(&pes);
        if let [frame] = frames[..]
            && Shape::of(frame.0).is_key(frame.1)
        {
            check_parameters(frame, &pes)?;
        }
        found.extend(frames.into_iter().zip(times));
    }
    Ok(found)
}

/// The field `PTS` (13818-1 §2.4.3.6).
fn presentation_time(pes: &[u8]) -> Option<u64> {
    let has_pts = pes.get(7)? & 0x80 != 0;
    let field = pes.get(9..14).filter(|_| has_pts)?;
    let bits = field.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    Some(bits >> 3 & 7 << 30 | bits >> 2 & 0x7fff << 15 | bits >> 1 & 0x7fff)
}
