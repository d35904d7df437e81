//! `AVCDecoderConfigurationRecord`: the sequence header of AVC in FLV and MP4.

use super::Error;
use crate::{
    bits::{BitReader, EndOfBits},
    nal,
};

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

impl AvcDecoderConfigurationRecord<'_> {
    /// Appends the record. What it says of profile and level is taken from the first sequence parameter set.
    ///
    /// Sets past what its counts and lengths can say are left out: 31 and 255 sets of 65 535 bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let sps: Vec<&[u8]> = sets_that_fit(&self.sps, 31);
        let profile = sps.first().and_then(|sps| sps.get(1..4)).unwrap_or(&[0; 3]);
        out.push(1);
        out.extend_from_slice(profile);
        out.push(0xfc | self.length_size.wrapping_sub(1) & 3);
        out.push(0xe0 | sps.len() as u8);
        write_sets(&sps, out);
        let pps = sets_that_fit(&self.pps, u8::MAX.into());
        out.push(pps.len() as u8);
        write_sets(&pps, out);
        if let Some(first) = sps.first().filter(|_| has_format(profile[0])) {
            let [chroma_format_idc, luma, chroma] = read_format(first).unwrap_or([1, 0, 0]);
            out.extend_from_slice(&[0xfc | chroma_format_idc, 0xf8 | luma, 0xf8 | chroma]);
            let sps_ext = sets_that_fit(&self.sps_ext, u8::MAX.into());
            out.push(sps_ext.len() as u8);
            write_sets(&sps_ext, out);
        }
    }
}

fn sets_that_fit<'a>(sets: &[&'a [u8]], count: usize) -> Vec<&'a [u8]> {
    sets.iter().copied().filter(|set| set.len() <= u16::MAX.into()).take(count).collect()
}

fn write_sets(sets: &[&[u8]], out: &mut Vec<u8>) {
    for set in sets {
        out.extend_from_slice(&(set.len() as u16).to_be_bytes());
        out.extend_from_slice(set);
    }
}

/// Whether a record of this profile goes on with the format of samples.
fn has_format(profile_idc: u8) -> bool {
    matches!(profile_idc, 100 | 110 | 122 | 144)
}

/// Bytes of a sequence parameter set within which the format of samples stands.
const FORMAT_LIMIT: usize = 64;

/// `chroma_format_idc`, `bit_depth_luma_minus8`, `bit_depth_chroma_minus8` (14496-10 §7.3.2.1.1).
fn read_format(sps: &[u8]) -> Result<[u8; 3], EndOfBits> {
    let rbsp = nal::unescape(sps, FORMAT_LIMIT);
    let mut reader = BitReader::new(&rbsp);
    reader.skip(8 + 24)?; // NAL unit header, profile_idc, constraint flags, level_idc
    reader.exp_golomb()?; // seq_parameter_set_id
    let chroma_format_idc = reader.exp_golomb()?;
    if chroma_format_idc == 3 {
        reader.skip(1)?; // separate_colour_plane_flag
    }
    let (luma, chroma) = (reader.exp_golomb()?, reader.exp_golomb()?);
    Ok([chroma_format_idc.min(3) as u8, luma.min(7) as u8, chroma.min(7) as u8])
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
    use crate::bits::bytes_of;

    const RECORD: &[u8] =
        &[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 3, 0x67, 0x64, 0, 1, 0, 2, 0x68, 0xee, 0xfd, 0xf8, 0xf8, 0];

    #[test]
    fn a_record_gives_its_parameter_sets() {
        let record = AvcDecoderConfigurationRecord::parse(RECORD).unwrap();
        assert_eq!(record.length_size, 4);
        assert_eq!((record.sps, record.pps), (vec![&[0x67, 0x64, 0][..]], vec![&[0x68, 0xee][..]]));
    }

    #[test]
    fn a_record_that_is_read_is_written_in_the_same_bytes() {
        // What x264 writes for High profile, one for Baseline, and one of 4:2:2 with other depths and an extension.
        let high = &[
            1, 0x64, 0, 0x1e, 0xff, 0xe1, 0, 0x1a, 0x67, 0x64, 0, 0x1e, 0xac, 0xd9, 0x80, 0xa0, 0x2f, 0xf9,
            0x70, 0x11, 0, 0, 3, 0, 1, 0, 0, 3, 0, 0x32, 0x0f, 0x16, 0x2d, 0x9a, 1, 0, 6, 0x68, 0xe9, 0x78,
            0x74, 0xb2, 0x2c, 0xfd, 0xf8, 0xf8, 0,
        ][..];
        let base = &[1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 4, 0x67, 0x42, 0xc0, 0x1e, 1, 0, 2, 0x68, 0xce][..];
        let sps = [vec![0x67, 122, 0, 0x1e], bytes_of("1 011 011 00101 0000")].concat();
        let sets = [&[0xe1, 0, sps.len() as u8][..], &sps, &[1, 0, 2, 0x68, 0xce]].concat();
        let format = &[0xfe, 0xfa, 0xfc, 1, 0, 3, 0x6d, 1, 2];
        let extended = [&[1, 122, 0, 0x1e, 0xff][..], &sets, format].concat();
        for record in [high, base, &extended] {
            for length_size in 1..=4 {
                let record = [&record[..4], &[0xfb + length_size], &record[5..]].concat();
                let mut written = Vec::new();
                let read = AvcDecoderConfigurationRecord::parse(&record).unwrap();
                read.write(&mut written);
                assert_eq!((read.length_size, written), (length_size, record));
            }
        }
    }

    #[test]
    fn what_a_record_cannot_say_is_left_out_of_it() {
        let long = vec![0x67; 65_536];
        let sps = [&[&long[..]][..], &vec![&[0x67_u8, 1, 2, 3][..]; 40]].concat();
        let record =
            AvcDecoderConfigurationRecord { length_size: 4, sps, pps: Vec::new(), sps_ext: Vec::new() };
        let mut written = Vec::new();
        record.write(&mut written);
        let read = AvcDecoderConfigurationRecord::parse(&written).unwrap();
        assert_eq!((read.sps.len(), &written[..4]), (31, &[1, 1, 2, 3][..]));
    }

    #[test]
    fn the_high_profile_fields_may_be_absent() {
        assert!(AvcDecoderConfigurationRecord::parse(&RECORD[..16]).is_ok());
    }

    #[test]
    fn every_cut_is_an_error_that_says_how_much_is_needed() {
        // Where fields and sets end.
        let ends = [1, 2, 4, 5, 6, 8, 11, 12, 14, 16];
        for cut in 0..16 {
            let outcome = AvcDecoderConfigurationRecord::parse(&RECORD[..cut]);
            let needed = ends[ends.partition_point(|&end| end <= cut)];
            assert_eq!(outcome, Err(Error::RecordTruncated { needed, available: cut }));
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
