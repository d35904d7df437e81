//! The muxer: a sizing pass, then writing into the caller's buffers.

use media::{AccessUnit, Media, TrackKind};

use crate::{
    AUDIO_PID, MuxerPolicy, MuxerState, VIDEO_PID,
    elementary::{audio_segments, video_segments},
    packet::{FirstPacket, PACKET_SIZE, Packetizer, has_room, packet_count, pcr_packet},
    pes, psi,
    schedule::{Pes, Schedule, Step},
    segment::Segment,
};

const VIDEO_STREAM_ID: u8 = 0xe0;
const AUDIO_STREAM_ID: u8 = 0xc0;

/// An access unit names a configuration that its track does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("access unit names configuration {index}, the track has {count}")]
pub struct ConfigError {
    /// The number named.
    pub index: u32,
    /// Configurations of the track.
    pub count: usize,
}

/// One slice as a transport stream.
#[derive(Debug)]
pub struct Muxer<'a> {
    media: Media<'a>,
    schedule: Schedule,
    continuity: [u8; 4],
    packetizer: Packetizer<'a>,
    /// The track whose PES packet is being written.
    track: TrackKind,
    /// The program association table has been written, the program map has not.
    program_map_due: bool,
    tables: psi::Tables,
    size: u64,
    end_state: MuxerState,
    program_changed: bool,
}

impl<'a> Muxer<'a> {
    /// Goes over the slice's access units and sums up its packets.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(media: Media<'a>, state: &MuxerState, policy: MuxerPolicy) -> Result<Self, ConfigError> {
        check_indices(&media.video.units, media.video.configs.len())?;
        check_indices(&media.audio.units, media.audio.configs.len())?;
        let schedule = Schedule::new(&media, state, policy);
        let mut muxer = Self {
            media,
            schedule: schedule.clone(),
            continuity: state.continuity,
            packetizer: Packetizer::default(),
            track: TrackKind::Video,
            program_map_due: false,
            tables: psi::Tables::default(),
            size: 0,
            end_state: *state,
            program_changed: false,
        };
        muxer.sum_up();
        muxer.program_changed = muxer.end_state.version != state.version;
        muxer.schedule = schedule;
        Ok(muxer)
    }

    /// Walks the schedule without writing.
    fn sum_up(&mut self) {
        let mut continuity = self.continuity;
        let mut packets = 0;
        let mut segments = Vec::new();
        while let Some(step) = self.schedule.next(&self.media) {
            match step {
                Step::Tables => {
                    packets += 2;
                    continuity[0] = (continuity[0] + 1) & 0x0f;
                    continuity[1] = (continuity[1] + 1) & 0x0f;
                }
                Step::Pcr(_) => packets += 1,
                Step::Pes(pes) => {
                    let (first_packet, size) = self.collect(pes, &mut segments);
                    let count = packet_count(size, first_packet);
                    packets += count;
                    let counter = &mut continuity[counter_of(pes.track)];
                    *counter = (u64::from(*counter) + count) as u8 & 0x0f;
                    segments.clear();
                }
            }
        }
        self.size = packets * PACKET_SIZE as u64;
        self.end_state = MuxerState {
            program: self.schedule.program,
            version: self.schedule.version,
            continuity,
            pcr_90khz: self.schedule.pcr_90khz,
            tables_90khz: self.schedule.tables_at,
            ..self.end_state
        };
        self.schedule.leads.leave(&mut self.end_state);
    }

    /// The tracks of the slice.
    #[must_use]
    pub fn media(&self) -> &Media<'a> {
        &self.media
    }

    /// Bytes of the slice, exactly.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What the next slice of the session begins with.
    #[must_use]
    pub fn end_state(&self) -> MuxerState {
        self.end_state
    }

    /// Whether the program differs from that of the slice before: a track more, or another codec.
    #[must_use]
    pub fn program_changed(&self) -> bool {
        self.program_changed
    }

    /// Appends the next packets to `out`, as many as fit whole into its capacity.
    ///
    /// `out` stays as it is when the slice is written. It never grows: with less room than a packet nothing
    /// is written either.
    // As a part of its only caller, the component's one large function, this loop would find its variables on the stack.
    #[inline(never)]
    pub fn write(&mut self, out: &mut Vec<u8>) {
        while has_room(out) {
            if !self.packetizer.is_done() {
                self.packetizer.write(out, &mut self.continuity[counter_of(self.track)]);
            } else if self.program_map_due {
                self.program_map_due = false;
                let Schedule { program, version, .. } = &self.schedule;
                let packet = self.tables.map(program, *version, next(&mut self.continuity[1]));
                out.extend_from_slice(packet);
            } else if !self.write_step(out) {
                return;
            }
        }
    }

    /// Writes the first packet of the next step, or prepares to; `false` at the end of the slice.
    fn write_step(&mut self, out: &mut Vec<u8>) -> bool {
        match self.schedule.next(&self.media) {
            None => return false,
            Some(Step::Tables) => {
                out.extend_from_slice(self.tables.association(next(&mut self.continuity[0])));
                self.program_map_due = true;
            }
            Some(Step::Pcr(pcr_90khz)) => {
                let pid = self.schedule.program.pcr_pid();
                let track = if pid == VIDEO_PID { TrackKind::Video } else { TrackKind::Audio };
                out.extend_from_slice(&pcr_packet(pid, self.continuity[counter_of(track)], pcr_90khz));
            }
            Some(Step::Pes(pes)) => {
                let mut segments = std::mem::take(self.packetizer.segments());
                let (first_packet, size) = self.collect(pes, &mut segments);
                *self.packetizer.segments() = segments;
                let pid = if pes.track == TrackKind::Video { VIDEO_PID } else { AUDIO_PID };
                self.packetizer.begin(pid, size, first_packet);
                self.track = pes.track;
            }
        }
        true
    }

    /// Puts the segments of a PES packet into the empty `segments`; also how many bytes they hold.
    fn collect(&self, pes: Pes, segments: &mut Vec<Segment<'a>>) -> (FirstPacket, u64) {
        let Pes { track, first, end, pcr_90khz, headers_due } = pes;
        // The header comes first but tells the length of what follows.
        segments.push(Segment::Lent(&[]));
        let (stream_id, unit) = match track {
            TrackKind::Video => {
                let unit = &self.media.video.units[first];
                let config = &self.media.video.configs[unit.config as usize];
                video_segments(config, unit, headers_due, segments);
                (VIDEO_STREAM_ID, unit)
            }
            TrackKind::Audio => {
                for unit in &self.media.audio.units[first..end] {
                    audio_segments(&self.media.audio.configs[unit.config as usize], unit, segments);
                }
                (AUDIO_STREAM_ID, &self.media.audio.units[first])
            }
        };
        let size: u64 = segments.iter().map(|segment| segment.bytes().len() as u64).sum();
        let header = pes::header(stream_id, unit.dts_90khz, unit.pts_90khz, size);
        let size = size + header.bytes().len() as u64;
        segments[0] = header;
        // A decoder can begin where it also gets the parameter sets.
        let random_access = unit.random_access && (headers_due || track == TrackKind::Audio);
        (FirstPacket { random_access, pcr_90khz }, size)
    }
}

/// Steps a continuity counter.
fn next(counter: &mut u8) -> u8 {
    *counter = (*counter + 1) & 0x0f;
    *counter
}

fn counter_of(track: TrackKind) -> usize {
    match track {
        TrackKind::Video => 2,
        TrackKind::Audio => 3,
    }
}

fn check_indices(units: &[AccessUnit<'_>], count: usize) -> Result<(), ConfigError> {
    match units.iter().find(|unit| unit.config as usize >= count) {
        Some(unit) => Err(ConfigError { index: unit.config, count }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
