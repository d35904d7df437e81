//! The standard's system target decoder (13818-1 §2.4.2): what waits in its buffers, and since when.
//!
//! Bytes arrive evenly between one program clock reference and the next; an access unit is taken out whole at
//! its decoding time. The transport buffers before these (512 bytes a track) are left out: packets of a PES
//! packet follow one another directly, which suits files and HLS, and which a broadcast multiplexer restamps.

use crate::transport_stream::{self, Pes};

/// How full a track's buffer was at most, in bytes.
#[derive(Debug)]
pub(crate) struct Fullness {
    pub(crate) video: u64,
    pub(crate) audio: u64,
}

/// Bytes of a track that have arrived by a time on the 90 kHz clock.
#[derive(Clone, Copy)]
struct Arrival {
    at: f64,
    bytes: u64,
}

/// An access unit, or several that share a PES packet and are taken out one after the other.
struct Removal {
    at: f64,
    bytes: u64,
}

/// Plays a session's slices put together.
///
/// `audio_frames` gives the sizes of the frames of an audio PES packet, which play for `frame_duration` each.
pub(crate) fn play(
    stream: &[u8],
    frame_duration: f64,
    audio_frames: impl Fn(&[u8]) -> Vec<usize>,
) -> Fullness {
    let (video, audio) = transport_stream::pes_packets(stream);
    let times = arrival_times(stream);
    let removals = |pes: &[Pes], sizes: &dyn Fn(&[u8]) -> Vec<usize>| -> Vec<Removal> {
        let unit = |pes: &Pes| {
            let dts = pes.dts as f64;
            let sizes = sizes(&pes.data).into_iter().enumerate();
            sizes
                .map(move |(place, size)| Removal {
                    at: dts + place as f64 * frame_duration,
                    bytes: size as u64,
                })
                .collect::<Vec<_>>()
        };
        pes.iter().flat_map(unit).collect()
    };
    Fullness {
        video: fullest(&arrivals(stream, &times, 0x100), &removals(&video, &|data| vec![data.len()])),
        audio: fullest(&arrivals(stream, &times, 0x101), &removals(&audio, &audio_frames)),
    }
}

/// When each packet has arrived, as far as clock references tell.
fn arrival_times(stream: &[u8]) -> Vec<f64> {
    let pcrs: Vec<(usize, i64)> = stream
        .chunks(188)
        .enumerate()
        .filter_map(|(index, packet)| Some((index, transport_stream::pcr(packet)?)))
        .collect();
    let mut times = vec![pcrs[0].1 as f64; pcrs[0].0];
    for pair in pcrs.windows(2) {
        let [(from, start), (to, end)] = [pair[0], pair[1]];
        let step = (end - start) as f64 / (to - from) as f64;
        times.extend((1..=to - from).map(|packet| start as f64 + packet as f64 * step));
    }
    times
}

/// What has arrived of a track after each of its packets: bytes of PES packets' payload.
fn arrivals(stream: &[u8], times: &[f64], pid: u16) -> Vec<Arrival> {
    let mut bytes = 0;
    let mut arrivals = Vec::new();
    for (packet, &at) in stream.chunks(188).zip(times) {
        let payload = transport_stream::payload(packet);
        if transport_stream::pid(packet) != pid || payload.is_empty() {
            continue;
        }
        let is_start = packet[1] & 0x40 != 0;
        let header_size = if is_start { 9 + usize::from(payload[8]) } else { 0 };
        bytes += (payload.len() - header_size) as u64;
        arrivals.push(Arrival { at, bytes });
    }
    arrivals
}

/// Checks that each access unit has come before it is decoded and waits no longer than a second, and says how
/// much waits at most.
fn fullest(arrivals: &[Arrival], removals: &[Removal]) -> u64 {
    let (mut fullest, mut removed, mut arrived) = (0, 0, 0);
    let mut coming = arrivals.iter().peekable();
    let mut first_bytes = arrivals.iter().peekable();
    for (index, unit) in removals.iter().enumerate() {
        while let Some(arrival) = coming.next_if(|arrival| arrival.at <= unit.at) {
            arrived = arrival.bytes;
            fullest = fullest.max(arrived - removed);
        }
        if coming.peek().is_none() {
            // After the last clock reference nobody knows when something comes.
            break;
        }
        while first_bytes.next_if(|arrival| arrival.bytes <= removed).is_some() {}
        let waits = unit.at - first_bytes.peek().expect("all bytes should be in a packet").at;
        assert!(waits <= 90_000.0, "access unit {index} waits for {waits} ticks");
        removed += unit.bytes;
        assert!(arrived >= removed, "access unit {index} is decoded at {arrived} of {removed} bytes");
    }
    fullest
}
