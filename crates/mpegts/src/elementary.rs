//! Access units as elementary streams: start codes for lengths, delimiters, parameter sets, ADTS headers.
//!
//! Nothing is copied here: a unit becomes a list of segments, most of them the pushed bytes themselves.

use codec::aac::{AdtsHeader, AudioSpecificConfig};
use codec::h264::AvcDecoderConfigurationRecord;
use codec::h265::HevcDecoderConfigurationRecord;
use codec::nal::NalUnits;
use codec::{aac, h264, h265, mpeg4};
use media::{AccessUnit, AudioCodec, AudioConfig, VideoCodec, VideoConfig};

use crate::segment::Segment;

/// A configuration record that the muxer cannot use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Of H.264.
    #[error(transparent)]
    H264(#[from] h264::Error),
    /// Of HEVC.
    #[error(transparent)]
    Hevc(#[from] h265::Error),
    /// Of AAC.
    #[error(transparent)]
    Aac(#[from] aac::Error),
    /// An access unit names a configuration that its track does not have.
    #[error("access unit names configuration {index}, the track has {count}")]
    Index {
        /// The number named.
        index: u32,
        /// Configurations of the track.
        count: usize,
    },
}

/// A start code with the `zero_byte` that begins an access unit and a parameter set (14496-10 annex B).
///
/// Used before every NAL unit: it takes as many bytes as the usual length field that it replaces.
const START_CODE: &[u8] = &[0, 0, 0, 1];

/// A video configuration, read.
#[derive(Clone, Debug)]
pub(crate) enum VideoFormat<'a> {
    H264(AvcDecoderConfigurationRecord<'a>),
    Hevc(HevcDecoderConfigurationRecord<'a>),
    Mpeg4(&'a [u8]),
}

impl<'a> VideoFormat<'a> {
    pub(crate) fn new(config: &VideoConfig<'a>) -> Result<Self, ConfigError> {
        Ok(match config.codec {
            VideoCodec::H264 => Self::H264(AvcDecoderConfigurationRecord::parse(config.record)?),
            VideoCodec::Hevc => Self::Hevc(HevcDecoderConfigurationRecord::parse(config.record)?),
            VideoCodec::Mpeg4 => Self::Mpeg4(config.record),
        })
    }

    /// Appends the segments of a unit, its parameter sets before it where they are due.
    ///
    /// A picture that brings sets of its own may have changed them since the sequence header: where it brings all
    /// kinds none go before it, else theirs are read last.
    pub(crate) fn segments(&self, unit: &AccessUnit<'a>, parameter_sets: bool, out: &mut Vec<Segment<'a>>) {
        match self {
            Self::H264(record) => h264_segments(record, unit, parameter_sets, out),
            Self::Hevc(record) => hevc_segments(record, unit, parameter_sets, out),
            Self::Mpeg4(headers) => {
                let pieces = unit.data.pieces();
                let first_code = pieces.iter().copied().flatten().nth(3);
                if parameter_sets && !first_code.is_some_and(|&code| mpeg4::is_header(code)) {
                    out.push(Segment::Lent(headers));
                }
                out.extend(pieces.iter().map(|piece| Segment::Lent(piece)));
            }
        }
    }
}

/// `profile_and_level_indication`, as the sequence header or else the frame begins with it.
pub(crate) fn mpeg4_profile_and_level(config: &VideoConfig<'_>, unit: &AccessUnit<'_>) -> Option<u8> {
    // A start code that stood for a length is a piece of its own.
    let mut begin = unit.data.pieces().iter().take(2);
    mpeg4::profile_and_level(config.record)
        .or_else(|| begin.find_map(|piece| mpeg4::profile_and_level(piece)))
}

/// The NAL units of a unit; the demuxer has checked their lengths.
fn nal_units<'u, 'a>(
    unit: &'u AccessUnit<'a>,
    length_size: u8,
) -> impl Iterator<Item = &'a [u8]> + use<'u, 'a> {
    unit.data.pieces().iter().flat_map(move |piece| NalUnits::new(piece, length_size).map_while(Result::ok))
}

fn push_units<'a>(units: impl Iterator<Item = &'a [u8]>, out: &mut Vec<Segment<'a>>) {
    out.extend(units.flat_map(|unit| [Segment::Lent(START_CODE), Segment::Lent(unit)]));
}

fn h264_segments<'a>(
    record: &AvcDecoderConfigurationRecord<'a>,
    unit: &AccessUnit<'a>,
    parameter_sets: bool,
    out: &mut Vec<Segment<'a>>,
) {
    use codec::h264::NalUnitType::{self, Aud, Pps, Sps};
    let kind = |nal: &[u8]| NalUnitType::of(nal[0]);
    out.extend([Segment::Lent(START_CODE), Segment::Lent(&h264::AUD)]);
    let brings = |set| nal_units(unit, record.length_size).any(|nal| kind(nal) == set);
    if parameter_sets && ![Sps, Pps].into_iter().all(brings) {
        push_units(record.sps.iter().chain(&record.sps_ext).chain(&record.pps).copied(), out);
    }
    push_units(nal_units(unit, record.length_size).filter(|nal| kind(nal) != Aud), out);
}

fn hevc_segments<'a>(
    record: &HevcDecoderConfigurationRecord<'a>,
    unit: &AccessUnit<'a>,
    parameter_sets: bool,
    out: &mut Vec<Segment<'a>>,
) {
    use codec::h265::NalUnitType::{self, Aud, Pps, Sps, Vps};
    let kind = |nal: &[u8]| NalUnitType::of(nal[0]);
    let slice = nal_units(unit, record.length_size).find(|nal| kind(nal).is_slice());
    out.extend([Segment::Lent(START_CODE), Segment::made(&h265::aud(slice.unwrap_or_default()))]);
    let brings = |set| nal_units(unit, record.length_size).any(|nal| kind(nal) == set);
    if parameter_sets && ![Vps, Sps, Pps].into_iter().all(brings) {
        push_units(record.units.iter().copied(), out);
    }
    push_units(nal_units(unit, record.length_size).filter(|nal| kind(nal) != Aud), out);
}

/// An audio configuration, read.
#[derive(Clone, Debug)]
pub(crate) enum AudioFormat {
    Aac(AudioSpecificConfig),
    Mp3,
}

impl AudioFormat {
    pub(crate) fn new(config: &AudioConfig<'_>) -> Result<Self, ConfigError> {
        Ok(match config.codec {
            AudioCodec::Aac => Self::Aac(AudioSpecificConfig::parse(config.record)?),
            AudioCodec::Mp3 => Self::Mp3,
        })
    }

    /// Appends the segments of a unit.
    pub(crate) fn segments<'a>(&self, unit: &AccessUnit<'a>, out: &mut Vec<Segment<'a>>) {
        if let Self::Aac(config) = self {
            let header = AdtsHeader::new(config, unit.data.size() as usize);
            let header = header.expect("the demuxer should leave out longer frames");
            out.push(Segment::made(header.as_bytes()));
        }
        out.extend(unit.data.pieces().iter().map(|piece| Segment::Lent(piece)));
    }
}
