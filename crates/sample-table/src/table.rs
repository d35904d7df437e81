//! A table as it is read.

use media::TrackKind;

use crate::{Error, Head, Runs, SampleEntry, fields::Fields};

/// A chunk's table, which has been read and checked: walking it cannot fail.
#[derive(Clone, Debug)]
pub struct SampleTable<'a> {
    head: Head<'a>,
    counts: [u32; 2],
    media_size: u64,
    runs: Fields<'a>,
}

impl<'a> SampleTable<'a> {
    /// The version of the encoding, its first byte.
    pub const VERSION: u8 = 1;

    /// Reads and checks a table: sizes add up, times rise strictly in each track, every run has a sample entry of its
    /// own track.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut fields = Fields::new(bytes, 0);
        match fields.byte("version") {
            Ok(Self::VERSION) => {}
            found => return Err(Error::Version { expected: Self::VERSION, found: found.ok() }),
        }
        let mut count = || Ok(fields.number("sample count", u32::MAX.into())? as u32);
        let counts = [count()?, count()?];
        let head = Head::read(&mut fields)?;
        let mut table = Self { head, counts, media_size: 0, runs: fields };
        table.check()?;
        Ok(table)
    }

    fn check(&mut self) -> Result<(), Error> {
        let mut found = [0_u32; 2];
        let mut last_dts = [i64::MIN; 2];
        let mut runs = Runs::new(self.runs);
        let mut offset = self.runs.offset();
        while let Some(run) = runs.read()? {
            let fits = match (run.track, self.head.entries.get(run.entry as usize)) {
                (TrackKind::Video, Some(SampleEntry::Video(_)))
                | (TrackKind::Audio, Some(SampleEntry::Audio(_))) => true,
                (_, Some(_) | None) => false,
            };
            if !fits {
                return Err(Error::Range { field: "sample entry of a run", offset });
            }
            let track = run.track as usize;
            let (mut samples, mut size) = (run.samples(), 0);
            while let Some(sample) = samples.read()? {
                if sample.dts_90khz <= last_dts[track] {
                    return Err(Error::Range { field: "decoding time", offset });
                }
                last_dts[track] = sample.dts_90khz;
                size += u64::from(sample.size);
            }
            if size != run.size {
                return Err(Error::Range { field: "size of a run", offset });
            }
            found[track] = found[track].saturating_add(run.count);
            self.media_size = run.offset + size;
            offset = runs.offset();
        }
        let counts = self.counts.into_iter().zip(found).find(|(expected, found)| expected != found);
        counts.map_or(Ok(()), |(expected, found)| Err(Error::Count { expected, found }))
    }

    /// What stands before the runs.
    #[must_use]
    pub fn head(&self) -> &Head<'a> {
        &self.head
    }

    /// Samples of a track.
    #[must_use]
    pub fn count(&self, track: TrackKind) -> u32 {
        self.counts[track as usize]
    }

    /// Bytes of the media that the table describes.
    #[must_use]
    pub fn media_size(&self) -> u64 {
        self.media_size
    }

    /// The runs, in the order in which they lie in the media bytes.
    #[must_use]
    pub fn runs(&self) -> Runs<'a> {
        Runs::new(self.runs)
    }
}
