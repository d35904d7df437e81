//! Program association and program map tables, one packet each.

use crate::{
    packet::PACKET_SIZE,
    program::{AUDIO_PID, PMT_PID, Program, VIDEO_PID, video_stream_type},
};

/// The number of the only program.
const PROGRAM_NUMBER: u16 = 1;

/// The number of the stream in a network, of which it is none.
const TRANSPORT_STREAM_ID: u16 = 1;

/// A section of a table that fits into one packet (13818-1 §2.4.4).
struct Section<'a> {
    pid: u16,
    table_id: u8,
    /// `transport_stream_id` or `program_number`.
    id: u16,
    /// 0 to 31.
    version: u8,
    /// What stands between the common fields and the CRC.
    body: &'a [u8],
}

/// The packet of the program association table (13818-1 §2.4.4.3).
fn pat_packet(continuity: u8) -> [u8; PACKET_SIZE] {
    let [number_high, number_low] = PROGRAM_NUMBER.to_be_bytes();
    let [pid_high, pid_low] = PMT_PID.to_be_bytes();
    let body = &[number_high, number_low, 0xe0 | pid_high, pid_low];
    Section { pid: 0, table_id: 0x00, id: TRANSPORT_STREAM_ID, version: 0, body }.packet(continuity)
}

/// The packets of the tables, kept from one to the next: they differ by a counter that the CRC leaves out.
#[derive(Debug)]
pub(crate) struct Tables {
    association: [u8; PACKET_SIZE],
    map: Option<(Program, u8, [u8; PACKET_SIZE])>,
}

impl Default for Tables {
    fn default() -> Self {
        Self { association: pat_packet(0), map: None }
    }
}

impl Tables {
    /// The next packet of the program association table.
    pub(crate) fn association(&mut self, continuity: u8) -> &[u8] {
        counted(&mut self.association, continuity)
    }

    /// The next packet of the program map table.
    pub(crate) fn map(&mut self, program: &Program, version: u8, continuity: u8) -> &[u8] {
        if self.map.is_none_or(|(last, last_version, _)| last != *program || last_version != version) {
            self.map = None;
        }
        let made = || (*program, version, pmt_packet(program, version, continuity));
        let (.., packet) = self.map.get_or_insert_with(made);
        counted(packet, continuity)
    }
}

/// The packet with another continuity counter.
fn counted(packet: &mut [u8; PACKET_SIZE], continuity: u8) -> &[u8] {
    packet[3] = packet[3] & 0xf0 | continuity & 0x0f;
    packet
}

/// The packet of the program map table (13818-1 §2.4.4.8).
fn pmt_packet(program: &Program, version: u8, continuity: u8) -> [u8; PACKET_SIZE] {
    let [pcr_high, pcr_low] = program.pcr_pid().to_be_bytes();
    let mut body = vec![0xe0 | pcr_high, pcr_low, 0xf0, 0];
    if let Some(codec) = program.video {
        // MPEG-4_video_descriptor (13818-1 §2.6.36).
        let mpeg4 = [0x1b, 1, program.mpeg4_profile_and_level];
        let descriptors = if codec == media::VideoCodec::Mpeg4 { &mpeg4[..] } else { &[] };
        stream(&mut body, video_stream_type(codec), VIDEO_PID, descriptors);
    }
    if let Some(audio) = program.audio {
        stream(&mut body, audio.stream_type(), AUDIO_PID, &[]);
    }
    Section { pid: PMT_PID, table_id: 0x02, id: PROGRAM_NUMBER, version, body: &body }.packet(continuity)
}

fn stream(body: &mut Vec<u8>, stream_type: u8, pid: u16, descriptors: &[u8]) {
    let [pid_high, pid_low] = pid.to_be_bytes();
    body.extend_from_slice(&[stream_type, 0xe0 | pid_high, pid_low, 0xf0, descriptors.len() as u8]);
    body.extend_from_slice(descriptors);
}

impl Section<'_> {
    /// Header, pointer field, section, CRC, stuffing.
    fn packet(&self, continuity: u8) -> [u8; PACKET_SIZE] {
        let [pid_high, pid_low] = self.pid.to_be_bytes();
        let [id_high, id_low] = self.id.to_be_bytes();
        let section_length = (5 + self.body.len() + 4) as u8;
        let header = [
            0x47,
            0x40 | pid_high,
            pid_low,
            0x10 | continuity & 0x0f,
            0, // pointer_field
            self.table_id,
            0xb0,
            section_length,
            id_high,
            id_low,
            0xc1 | (self.version & 0x1f) << 1,
            0,
            0,
        ];
        let end = header.len() + self.body.len();
        let mut packet = [0xff; PACKET_SIZE];
        packet[..header.len()].copy_from_slice(&header);
        packet[header.len()..end].copy_from_slice(self.body);
        let crc = crc32(&packet[5..end]);
        packet[end..end + 4].copy_from_slice(&crc.to_be_bytes());
        packet
    }
}

/// CRC of 13818-1 annex A.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AudioStream;

    #[test]
    fn crc_of_a_known_section() {
        // The program association table that FFmpeg writes.
        let section = [0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00, 0x00, 0x00, 0x01, 0xf0, 0x00];
        assert_eq!(crc32(&section), 0x2ab1_04b2);
        assert_eq!(pat_packet(3)[5..21], [&section[..], &[0x2a, 0xb1, 0x04, 0xb2]].concat());
    }

    #[test]
    fn a_program_map_lists_its_tracks() {
        let program = Program {
            video: Some(media::VideoCodec::Mpeg4),
            audio: Some(AudioStream::Mpeg1),
            mpeg4_profile_and_level: 0xf5,
        };
        let packet = pmt_packet(&program, 5, 9);
        assert_eq!(packet[..5], [0x47, 0x50, 0x00, 0x19, 0]);
        let section = [
            0x02, 0xb0, 0x1a, 0, 1, 0xcb, 0, 0, 0xe1, 0x00, 0xf0, 0, 0x10, 0xe1, 0x00, 0xf0, 3, 0x1b, 1,
            0xf5, 0x03, 0xe1, 0x01, 0xf0, 0,
        ];
        assert_eq!(packet[5..30], section);
        assert_eq!(crc32(&packet[5..34]), 0, "a section with its CRC leaves no remainder");
        assert!(packet[34..].iter().all(|&byte| byte == 0xff));
    }

    #[test]
    fn kept_tables_are_those_of_the_program_as_it_is() {
        let mut tables = Tables::default();
        let video = Program { video: Some(media::VideoCodec::H264), ..Program::default() };
        let both = Program { audio: Some(AudioStream::Mpeg1), ..video };
        for (program, version, continuity) in [(video, 0, 0), (video, 0, 1), (both, 0, 2), (both, 1, 3)] {
            assert_eq!(tables.map(&program, version, continuity), pmt_packet(&program, version, continuity));
            assert_eq!(tables.association(continuity), pat_packet(continuity));
        }
    }
}
