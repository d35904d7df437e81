//! `AVCDecoderConfigurationRecord`: the sequence header of AVC in FLV and MP4.

use super::Error;

/// The record (14496-15 §5.3.3.1), borrowing its parameter sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvcDecoderConfigurationRecord<'a> {
    /// Bytes of the length before each NAL unit of a sample: 1 to 4.
    pub length_size: u8,
    /// Sequence parameter sets; maybe none, for some encoders send them in the stream alone.
    pub sps: Vec<&'a [u8]>,
    /// Picture parameter sets; maybe none.
    pub pps: Vec<&'a [u8]>,
    /// Sequence parameter set extensions, which only some profiles have.
    pub sps_ext: Vec<&'a [u8]>,
}

impl<'a> AvcDecoderConfigurationRecord<'a> {
    /// Reads the record.
    ///
    /// # Errors
    /// See [`Error`]; the content of parameter sets is not read.
    pub fn parse(record: &'a [u8]) -> Result<Self, Error> {
        let mut fields = Fields { record, rest: record };
        let version = fields.byte()?;
        if version != 1 {
            return Err(Error::RecordVersion { found: version });
        }
        let profile = fields.byte()?;
        fields.take(2)?;
        let length_size = (fields.byte()? & 3) + 1;
        let sps_count = fields.byte()? & 0x1f;
        let sps = fields.sets(sps_count)?;
        let pps_count = fields.byte()?;
        let pps = fields.sets(pps_count)?;
        // Many encoders leave the High profile fields out, so their absence is no error.
        let sps_ext = match (profile, fields.rest) {
            (100 | 110 | 122 | 144, &[_, _, _, count, ..]) => {
                fields.take(4)?;
                fields.sets(count).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Ok(Self { length_size, sps, pps, sps_ext })
    }
}

/// What is left of a record.
struct Fields<'a> {
    record: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8], Error> {
        let needed = self.record.len() - self.rest.len() + size;
        let truncated = Error::RecordTruncated { needed, available: self.record.len() };
        let (taken, rest) = self.rest.split_at_checked(size).ok_or(truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
    }

    fn sets(&mut self, count: u8) -> Result<Vec<&'a [u8]>, Error> {
        let mut sets = Vec::new();
        for _ in 0..count {
            let size = self.take(2)?;
            let set = self.take(usize::from(u16::from_be_bytes([size[0], size[1]])))?;
            if !set.is_empty() {
                sets.push(set);
            }
        }
        Ok(sets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &[u8] =
        &[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 3, 0x67, 0x64, 0, 1, 0, 2, 0x68, 0xee, 0xfd, 0xf8, 0xf8, 0];

    #[test]
    fn a_record_gives_its_parameter_sets() {
        let record = AvcDecoderConfigurationRecord::parse(RECORD).unwrap();
        assert_eq!(record.length_size, 4);
        assert_eq!((record.sps, record.pps), (vec![&[0x67, 0x64, 0][..]], vec![&[0x68, 0xee][..]]));
    }

    #[test]
    fn the_high_profile_fields_may_be_absent() {
        assert!(AvcDecoderConfigurationRecord::parse(&RECORD[..16]).is_ok());
    }

    #[test]
    fn every_cut_is_an_error() {
        for cut in 0..16 {
            let outcome = AvcDecoderConfigurationRecord::parse(&RECORD[..cut]);
            assert!(matches!(outcome, Err(Error::RecordTruncated { .. })), "cut at {cut}: {outcome:?}");
        }
    }

    #[test]
    fn a_record_may_have_no_parameter_sets_but_has_a_version() {
        let record = AvcDecoderConfigurationRecord::parse(&[1, 0x42, 0, 0x1f, 0xfd, 0xe0, 0]).unwrap();
        assert_eq!((record.length_size, record.sps.len(), record.pps.len()), (2, 0, 0));
        let outcome = AvcDecoderConfigurationRecord::parse(&[0, 0, 0, 1, 0x67, 0x42, 0]);
        assert_eq!(outcome, Err(Error::RecordVersion { found: 0 }));
    }
}
