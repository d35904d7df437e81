//! H.264 NAL units in Annex B byte streams (ISO/IEC 14496-10, Annex B).

/// The coded slices (`nal_unit_type` 1 to 5) of a byte stream, each a NAL unit without start code or trailing
/// zeros.
#[must_use]
pub fn slices(stream: &[u8]) -> Vec<&[u8]> {
    units(stream).into_iter().filter(|unit| matches!(unit[0] & 0x1f, 1..=5)).collect()
}

fn units(stream: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        (0..stream.len().saturating_sub(2)).filter(|&at| stream[at..].starts_with(&[0, 0, 1])).collect();
    let mut units = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(stream.len());
        let unit = &stream[start + 3..end];
        let length = unit.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        if length > 0 {
            units.push(&unit[..length]);
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::slices;

    #[test]
    fn slices_are_told_from_other_units() {
        let stream = [0, 0, 0, 1, 0x67, 9, 0, 0, 0, 1, 0x65, 1, 2, 0, 0, 1, 0x06, 5, 0, 0, 1, 0x41, 7, 0];
        assert_eq!(slices(&stream), [&[0x65, 1, 2][..], &[0x41, 7]]);
    }
}
