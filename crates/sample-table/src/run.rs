//! Runs, and the samples in them.

use media::TrackKind;

use crate::{Error, fields::Fields};

/// Times lie within this of zero: ninety years of the 90 kHz clock.
pub(crate) const MAX_TIME_90KHZ: i64 = 1 << 48;

/// A sample is shorter than this. Longer ones take no chunk.
const MAX_SAMPLE_SIZE: u64 = 1 << 30;

/// Bits beside a sample's size.
pub(crate) const IS_SYNC: u64 = 1;
pub(crate) const HAS_TIMES: u64 = 2;
pub(crate) const SIZE_SHIFT: u32 = 2;

/// One sample: a picture, or a frame of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Decoding time on the session's clock. Unit: 1/90 000 s.
    pub dts_90khz: i64,
    /// Presentation time less decoding time. Unit: 1/90 000 s.
    pub composition_offset_90khz: u32,
    /// Bytes of its coded data.
    pub size: u32,
    /// Decoding can begin here.
    pub is_sync: bool,
}

/// Samples of one track with one sample entry that follow each other in the media bytes.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The track.
    pub track: TrackKind,
    /// Which of the head's sample entries.
    pub entry: u32,
    /// Samples, at least one.
    pub count: u32,
    /// Where the first one lies in the chunk's media bytes.
    pub offset: u64,
    /// Bytes of all.
    pub size: u64,
    fields: Fields<'a>,
}

impl<'a> Run<'a> {
    /// The samples in decoding order, which is that of their bytes.
    #[must_use]
    pub fn samples(&self) -> Samples<'a> {
        Samples { fields: self.fields, left: self.count, times: Times::default() }
    }

    /// Reads the head of a run, and passes over its samples.
    pub(crate) fn read(fields: &mut Fields<'a>, offset: u64) -> Result<Self, Error> {
        let track = fields.number("track and entry", u32::MAX.into())?;
        let count = fields.number("samples of a run", u32::MAX.into())? as u32;
        let size = fields.number("size of a run", u64::MAX >> 1)?;
        let begin = fields.offset();
        let samples = fields.bytes("samples")?;
        let begin_of_samples = fields.offset() - samples.len();
        if count == 0 {
            return Err(Error::Range { field: "samples of a run", offset: begin });
        }
        Ok(Self {
            track: if track & 1 == 0 { TrackKind::Video } else { TrackKind::Audio },
            entry: (track >> 1) as u32,
            count,
            offset,
            size,
            fields: fields.until_here(begin_of_samples),
        })
    }
}

/// The samples of a [`Run`].
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    fields: Fields<'a>,
    left: u32,
    times: Times,
}

impl Samples<'_> {
    /// The next sample; `None` behind the last.
    pub(crate) fn read(&mut self) -> Result<Option<Sample>, Error> {
        if self.left == 0 {
            let rest = Error::Range { field: "samples of a run", offset: self.fields.offset() };
            return if self.fields.is_empty() { Ok(None) } else { Err(rest) };
        }
        self.left -= 1;
        let offset = self.fields.offset();
        let number = self.fields.number("sample", (MAX_SAMPLE_SIZE << SIZE_SHIFT) - 1)?;
        let has_times = number & HAS_TIMES != 0;
        if self.times.is_first && !has_times {
            return Err(Error::Range { field: "sample", offset });
        }
        if has_times {
            self.times.read(&mut self.fields)?;
        }
        let (dts_90khz, composition_offset_90khz) = self.times.next(offset)?;
        let size = (number >> SIZE_SHIFT) as u32;
        Ok(Some(Sample { dts_90khz, composition_offset_90khz, size, is_sync: number & IS_SYNC != 0 }))
    }
}

impl Iterator for Samples<'_> {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        // A table is read once before its runs are given out.
        self.read().ok().flatten()
    }
}

/// What the times of the next sample are told by: they go on as before, unless the sample says a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    is_first: bool,
    dts_90khz: i64,
    delta_90khz: i64,
    offset_90khz: i64,
}

impl Default for Times {
    fn default() -> Self {
        Self { is_first: true, dts_90khz: 0, delta_90khz: 0, offset_90khz: 0 }
    }
}

impl Times {
    /// What changes with a sample: the distance from the one before, and the composition offset. `None` where nothing
    /// does.
    pub(crate) fn change(&mut self, sample: &Sample) -> Option<(i64, i64)> {
        let offset = i64::from(sample.composition_offset_90khz);
        let delta = sample.dts_90khz - self.dts_90khz;
        let change = (delta - self.delta_90khz, offset - self.offset_90khz);
        let is_first = std::mem::replace(&mut self.is_first, false);
        // The first one's distance is its time, and nothing that could go on.
        self.delta_90khz = if is_first { 0 } else { delta };
        (self.dts_90khz, self.offset_90khz) = (sample.dts_90khz, offset);
        (is_first || change != (0, 0)).then_some(change)
    }

    fn read(&mut self, fields: &mut Fields<'_>) -> Result<(), Error> {
        let begin = fields.offset();
        let delta = fields.signed("decoding time", MAX_TIME_90KHZ)?;
        let offset = fields.signed("composition offset", u32::MAX.into())?;
        if !self.is_first && (delta, offset) == (0, 0) {
            return Err(Error::Range { field: "decoding time", offset: begin });
        }
        self.delta_90khz += delta;
        self.offset_90khz += offset;
        Ok(())
    }

    fn next(&mut self, offset: usize) -> Result<(i64, u32), Error> {
        self.dts_90khz += self.delta_90khz;
        let is_first = std::mem::replace(&mut self.is_first, false);
        if self.dts_90khz.abs() > MAX_TIME_90KHZ || !is_first && self.delta_90khz <= 0 {
            return Err(Error::Range { field: "decoding time", offset });
        }
        if is_first {
            self.delta_90khz = 0;
        }
        let range = Error::Range { field: "composition offset", offset };
        Ok((self.dts_90khz, u32::try_from(self.offset_90khz).map_err(|_| range)?))
    }
}

/// The runs of a table, in the order in which they lie in the media bytes.
#[derive(Clone, Debug)]
pub struct Runs<'a> {
    fields: Fields<'a>,
    offset: u64,
}

impl<'a> Runs<'a> {
    pub(crate) fn new(fields: Fields<'a>) -> Self {
        Self { fields, offset: 0 }
    }

    pub(crate) fn offset(&self) -> usize {
        self.fields.offset()
    }

    pub(crate) fn read(&mut self) -> Result<Option<Run<'a>>, Error> {
        if self.fields.is_empty() {
            return Ok(None);
        }
        let begin = self.fields.offset();
        let run = Run::read(&mut self.fields, self.offset)?;
        let end = self.offset.checked_add(run.size).filter(|&end| end <= u64::MAX >> 1);
        self.offset = end.ok_or(Error::Range { field: "size of a run", offset: begin })?;
        Ok(Some(run))
    }
}

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    fn next(&mut self) -> Option<Run<'a>> {
        // A table is read once before its runs are given out.
        self.read().ok().flatten()
    }
}
