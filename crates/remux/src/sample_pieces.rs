//! Access units as samples: NAL units behind lengths of four bytes, frames as they are.
//!
//! Nothing is copied here: a sample becomes a list of pieces, most of them the pushed bytes themselves.

use codec::{
    mpeg4,
    nal::NalUnits,
    nal_video::{NalCodec, UnitRole},
};
use media::{AccessUnit, Data, VideoCodec, VideoConfig};

/// Bytes of the length before each NAL unit.
pub(crate) const LENGTH_SIZE: u8 = 4;

/// Some bytes of a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'a> {
    /// Pushed bytes.
    Lent(&'a [u8]),
    /// The length of a NAL unit.
    Length([u8; LENGTH_SIZE as usize]),
}

impl Piece<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Length(bytes) => bytes,
        }
    }
}

/// Appends the pieces of a picture, the headers of its configuration before it where they are due and it does not bring
/// them itself.
pub(crate) fn video_pieces<'a>(
    config: &VideoConfig<'a>,
    unit: &AccessUnit<'a>,
    headers_due: bool,
    out: &mut Vec<Piece<'a>>,
) {
    let codec = match config.codec {
        VideoCodec::H264 => NalCodec::H264,
        VideoCodec::Hevc => NalCodec::Hevc,
        VideoCodec::Mpeg4 => return mpeg4_pieces(config, unit, headers_due, out),
    };
    if headers_due && !brings_sets(codec, config, unit) {
        // A delimiter begins its access unit, so the sets follow it.
        let units = || nal_units(config, unit);
        let is_delimiter = |nal: &&[u8]| codec.role(nal) == UnitRole::Delimiter;
        let delimiters = units().take_while(is_delimiter).count();
        push_units(units().take(delimiters), out);
        push_units(config.headers.iter().copied(), out);
        push_units(units().skip(delimiters), out);
    } else if let Some(framed) = framed_alike(config, unit) {
        out.extend(framed.iter().map(|piece| Piece::Lent(piece)));
    } else {
        push_units(nal_units(config, unit), out);
    }
}

fn mpeg4_pieces<'a>(
    config: &VideoConfig<'a>,
    unit: &AccessUnit<'a>,
    headers_due: bool,
    out: &mut Vec<Piece<'a>>,
) {
    let pieces = unit.data.pieces();
    let first_code = pieces.iter().copied().flatten().nth(3);
    if headers_due && !first_code.is_some_and(|&code| mpeg4::is_header(code)) {
        out.extend(config.headers.iter().map(|header| Piece::Lent(header)));
    }
    out.extend(pieces.iter().map(|piece| Piece::Lent(piece)));
}

/// Whether a picture has all kinds of parameter set that a decoder needs.
fn brings_sets(codec: NalCodec, config: &VideoConfig<'_>, unit: &AccessUnit<'_>) -> bool {
    let has = |kind| nal_units(config, unit).any(|nal| codec.role(nal) == UnitRole::ParameterSet(kind));
    codec.needed_sets().iter().all(|&kind| has(kind))
}

/// The data of a picture where it is framed as a sample is: with lengths of this size, and nothing beside NAL units that
/// are not empty.
fn framed_alike<'u, 'a>(config: &VideoConfig<'a>, unit: &'u AccessUnit<'a>) -> Option<&'u [&'a [u8]]> {
    let (Data::Lengths(_) | Data::LengthsInPieces(_)) = &unit.data else { return None };
    if config.length_size != LENGTH_SIZE {
        return None;
    }
    let pieces = unit.data.pieces();
    let is_exact = |piece: &&[u8]| {
        let units = NalUnits::new(piece, LENGTH_SIZE).map_while(Result::ok);
        units.map(|nal| nal.len() + usize::from(LENGTH_SIZE)).sum::<usize>() == piece.len()
    };
    pieces.iter().all(is_exact).then_some(pieces)
}

/// The NAL units of a picture; the demuxer has checked their lengths.
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

fn push_units<'a>(units: impl Iterator<Item = &'a [u8]>, out: &mut Vec<Piece<'a>>) {
    units.for_each(|unit| {
        let length = (unit.len() as u32).to_be_bytes();
        out.extend([Piece::Length(length), Piece::Lent(unit)]);
    });
}
