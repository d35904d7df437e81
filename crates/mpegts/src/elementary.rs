//! Access units as elementary streams: start codes, delimiters, parameter sets, ADTS headers.
//!
//! Nothing is copied here: a unit becomes a list of segments, most of them the pushed bytes themselves.

use codec::{
    aac::AdtsHeader,
    h264, h265, mpeg4,
    nal::NalUnits,
    nal_video::{NalCodec, SetKind, UnitRole},
};
use media::{AccessUnit, AudioConfig, Data, VideoCodec, VideoConfig};

use crate::segment::Segment;

/// A start code with the `zero_byte` that begins an access unit and a parameter set (14496-10 annex B).
///
/// Used before every NAL unit: it takes as many bytes as the usual length field that it replaces.
const START_CODE: &[u8] = &[0, 0, 0, 1];

/// Appends the segments of a video unit, the headers of its configuration before it where they are due.
///
/// A picture that brings sets of its own may have changed them since: where it brings all kinds none go before it, else
/// its own are read last.
pub(crate) fn video_segments<'a>(
    config: &VideoConfig<'a>,
    unit: &AccessUnit<'a>,
    headers_due: bool,
    out: &mut Vec<Segment<'a>>,
) {
    match config.codec {
        VideoCodec::H264 => nal_segments(NalCodec::H264, config, unit, headers_due, out),
        VideoCodec::Hevc => nal_segments(NalCodec::Hevc, config, unit, headers_due, out),
        VideoCodec::Mpeg4 => {
            let pieces = unit.data.pieces();
            let first_code = pieces.iter().copied().flatten().nth(3);
            if headers_due && !first_code.is_some_and(|&code| mpeg4::is_header(code)) {
                out.extend(config.headers.iter().map(|header| Segment::Lent(header)));
            }
            out.extend(pieces.iter().map(|piece| Segment::Lent(piece)));
        }
    }
}

fn nal_segments<'a>(
    codec: NalCodec,
    config: &VideoConfig<'a>,
    unit: &AccessUnit<'a>,
    headers_due: bool,
    out: &mut Vec<Segment<'a>>,
) {
    let role = |nal: &&[u8]| codec.role(nal);
    let slice = || nal_units(config, unit).find(|nal| role(nal) == UnitRole::CodedSlice);
    let delimiter = match codec {
        NalCodec::H264 => Segment::Lent(&h264::AUD),
        NalCodec::Hevc => Segment::made(&h265::aud(slice().unwrap_or_default())),
    };
    out.extend([Segment::Lent(START_CODE), delimiter]);
    if headers_due {
        let brings =
            |set: &SetKind| nal_units(config, unit).any(|nal| role(&nal) == UnitRole::ParameterSet(*set));
        if !codec.needed_sets().iter().all(brings) {
            push_units(config.headers.iter().copied(), out);
        }
    }
    push_pictures(codec, nal_units(config, unit), out);
}

/// Appends NAL units without the delimiters that were pushed, for the one before them has been written.
///
/// A message may hold several pictures, such as the two fields of a frame: the delimiters between these are kept, one for
/// each. One within a picture, or behind the last one, would tell a decoder of a picture that does not begin there.
fn push_pictures<'a>(codec: NalCodec, units: impl Iterator<Item = &'a [u8]>, out: &mut Vec<Segment<'a>>) {
    let mut has_slice = false;
    // Where a delimiter stands of which the next slice tells whether it is kept.
    let mut delimiter = None;
    for nal in units {
        match codec.role(nal) {
            UnitRole::Delimiter if !has_slice || delimiter.is_some() => continue,
            UnitRole::Delimiter => delimiter = Some(out.len()),
            UnitRole::CodedSlice => {
                has_slice = true;
                if let Some(at) = delimiter.take().filter(|_| !codec.begins_picture(nal)) {
                    out.drain(at..at + 2);
                }
            }
            _ => {}
        }
        out.extend([Segment::Lent(START_CODE), Segment::Lent(nal)]);
    }
    if let Some(at) = delimiter {
        out.drain(at..at + 2);
    }
}

/// The NAL units of a unit; the demuxer has checked their lengths.
fn nal_units<'u, 'a>(
    config: &VideoConfig<'a>,
    unit: &'u AccessUnit<'a>,
) -> impl Iterator<Item = &'a [u8]> + use<'u, 'a> {
    let (framed, units) = match &unit.data {
        Data::NalUnits(units) => (&[][..], units.as_slice()),
        data => (data.pieces(), &[][..]),
    };
    let length_size = config.length_size;
    let framed = framed.iter().flat_map(move |piece| NalUnits::new(piece, length_size).map_while(Result::ok));
    framed.chain(units.iter().copied())
}

fn push_units<'a>(units: impl Iterator<Item = &'a [u8]>, out: &mut Vec<Segment<'a>>) {
    units.for_each(|unit| out.extend([Segment::Lent(START_CODE), Segment::Lent(unit)]));
}

/// `profile_and_level_indication`, as the headers or else the frame begins with it.
pub(crate) fn mpeg4_profile_and_level(config: &VideoConfig<'_>, unit: &AccessUnit<'_>) -> Option<u8> {
    // A start code that stood for a length is a piece of its own.
    let begin = |pieces: &[&[u8]]| pieces.iter().take(2).find_map(|piece| mpeg4::profile_and_level(piece));
    begin(&config.headers).or_else(|| begin(unit.data.pieces()))
}

/// Appends the segments of an audio unit.
pub(crate) fn audio_segments<'a>(config: &AudioConfig, unit: &AccessUnit<'a>, out: &mut Vec<Segment<'a>>) {
    if let Some(config) = config.aac.as_ref().filter(|_| !config.has_adts_headers) {
        let header = AdtsHeader::new(config, unit.data.size() as usize);
        let header = header.expect("the demuxer should leave out longer frames");
        out.push(Segment::Adts(header));
    }
    out.extend(unit.data.pieces().iter().map(|piece| Segment::Lent(piece)));
}
