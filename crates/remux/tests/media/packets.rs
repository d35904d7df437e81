//! Coded packets as ffmpeg reads them out of a file: the truth that outputs are compared with.

use std::{path::Path, process::Command};

/// One coded packet. Times are in whole milliseconds, as FLV keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) dts_ms: i64,
    pub(crate) pts_ms: i64,
    pub(crate) is_key: bool,
    pub(crate) data: Vec<u8>,
}

/// One stream of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    pub(crate) codec: String,
    pub(crate) extradata: Vec<u8>,
    pub(crate) packets: Vec<Packet>,
}

/// The streams of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) video: Option<Stream>,
    pub(crate) audio: Option<Stream>,
}

impl Source {
    pub(crate) fn read(path: &Path) -> Self {
        Self { video: read_stream(path, "v:0"), audio: read_stream(path, "a:0") }
    }
}

fn run(tool: &str, path: &Path, before: &[&str], after: &[&str]) -> Vec<u8> {
    let output = Command::new(tool).args(before).arg(path).args(after).output().unwrap();
    assert!(
        output.status.success(),
        "{tool} {}: {}",
        path.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn read_stream(path: &Path, stream: &str) -> Option<Stream> {
    // One call for all: most of the time that one takes passes before it reads anything.
    let entries = "stream=codec_name,extradata:packet=pts_time,dts_time,size,flags";
    let before = ["-v", "error", "-select_streams", stream, "-show_entries", entries, "-show_data"];
    let probed = String::from_utf8(run("ffprobe", path, &before, &[])).unwrap();
    let (list, of_stream) = probed.split_once("[STREAM]")?;
    let codec = of_stream.lines().find_map(|line| line.strip_prefix("codec_name=")).unwrap().to_owned();
    let extradata = parse_hex_dump(of_stream);
    // Every tag of MPEG-4 opens a stream of its own when FFmpeg reads FLV: the payloads come from all of them.
    let data = run(
        "ffmpeg",
        path,
        &["-v", "error", "-nostdin", "-i"],
        &["-map", &format!("0:{stream}"), "-c", "copy", "-f", "data", "-"],
    );
    let mut rest = data.as_slice();
    let mut packets = Vec::new();
    for block in list.split("[/PACKET]") {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let Some(size) = field("size") else { continue };
        let (data, after) = rest.split_at(size.parse().unwrap());
        rest = after;
        packets.push(Packet {
            dts_ms: milliseconds(field("dts_time").unwrap()),
            pts_ms: milliseconds(field("pts_time").unwrap()),
            is_key: field("flags").unwrap().starts_with('K'),
            data: data.to_vec(),
        });
    }
    assert!(rest.is_empty(), "{} bytes more than the packets of {}", rest.len(), path.display());
    Some(Stream { codec, extradata, packets })
}

fn milliseconds(seconds: &str) -> i64 {
    (seconds.parse::<f64>().unwrap() * 1000.0).round() as i64
}

/// Bytes of ffprobe's hex dump: `offset: xxxx xxxx …  text`.
fn parse_hex_dump(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines() {
        let Some((offset, rest)) = line.split_once(": ") else { continue };
        if offset.len() != 8 || !offset.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            continue;
        }
        let hex: String = rest.chars().take(40).filter(|character| !character.is_whitespace()).collect();
        for pair in hex.as_bytes().chunks(2) {
            bytes.push(u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        }
    }
    bytes
}

impl Source {
    fn streams_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.video.iter_mut().chain(&mut self.audio)
    }

    /// Moves all times so that the earliest decoding time is 0, as FLV muxers do.
    pub(crate) fn begin_at_zero(&mut self) {
        let packets = self.video.iter().chain(&self.audio).flat_map(|stream| &stream.packets);
        let start = packets.map(|packet| packet.dts_ms).min().unwrap();
        for packet in self.streams_mut().flat_map(|stream| &mut stream.packets) {
            packet.dts_ms -= start;
            packet.pts_ms -= start;
        }
    }
}
