//! The four bytes before each frame (11172-3 §2.4.1.3).

/// Bytes that are no layer 3 frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a layer 3 frame header, found {found:02x?}")]
pub struct Error {
    /// The first four bytes, zero where the frame is shorter.
    pub found: [u8; 4],
}

/// What a layer 3 frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Sample rate in Hz: those of MPEG-1, half of them (MPEG-2), or a quarter (the MPEG-2.5 extension).
    pub sample_rate_hz: u32,
    /// 1 or 2.
    pub channels: u32,
    /// Samples of each channel: 1152, or 576 at the lower rates.
    pub samples: u32,
    /// Bytes of the frame, this header included; `None` for the free format.
    pub size: Option<u32>,
}

/// 11172-3 §2.4.2.3 and 13818-3 §2.4.2.3, layer 3, in kbit/s.
const BITRATES_KBPS: [[u32; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

impl FrameHeader {
    /// Reads the header at the start of a frame.
    ///
    /// # Errors
    /// When it is none, or one of another layer.
    pub fn parse(frame: &[u8]) -> Result<Self, Error> {
        let mut found = [0; 4];
        let available = frame.len().min(4);
        found[..available].copy_from_slice(&frame[..available]);
        let [sync, b1, b2, b3] = found;
        let (version, layer) = (b1 >> 3 & 3, b1 >> 1 & 3);
        let (bitrate, rate) = (usize::from(b2 >> 4), usize::from(b2 >> 2 & 3));
        if available < 4
            || sync != 0xff
            || b1 & 0xe0 != 0xe0
            || version == 1
            || layer != 1
            || bitrate == 15
            || rate == 3
        {
            return Err(Error { found });
        }
        let low_rate = version != 3;
        let divisor = match version {
            3 => 1,
            2 => 2,
            _ => 4,
        };
        let sample_rate_hz = [44_100, 48_000, 32_000][rate] / divisor;
        let samples = if low_rate { 576 } else { 1152 };
        let bitrate_bps = BITRATES_KBPS[usize::from(low_rate)][bitrate] * 1000;
        let padding = u32::from(b2 >> 1 & 1);
        let size = (bitrate_bps > 0).then(|| samples / 8 * bitrate_bps / sample_rate_hz + padding);
        Ok(Self { sample_rate_hz, channels: if b3 >> 6 == 3 { 1 } else { 2 }, samples, size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: [u8; 4], sample_rate_hz: u32, channels: u32, samples: u32, size: Option<u32>) {
        let expected = FrameHeader { sample_rate_hz, channels, samples, size };
        assert_eq!(FrameHeader::parse(&header), Ok(expected));
    }

    #[test]
    fn headers_of_the_three_versions() {
        check([0xff, 0xfb, 0x90, 0x64], 44_100, 2, 1152, Some(417));
        check([0xff, 0xfb, 0x92, 0x64], 44_100, 2, 1152, Some(418));
        check([0xff, 0xfb, 0x94, 0xc4], 48_000, 1, 1152, Some(384));
        check([0xff, 0xf3, 0x80, 0xc4], 22_050, 1, 576, Some(208));
        check([0xff, 0xe3, 0x18, 0xc4], 8_000, 1, 576, Some(72));
        check([0xff, 0xfb, 0x00, 0x64], 44_100, 2, 1152, None);
    }

    #[test]
    fn what_is_no_layer_3_header_is_refused() {
        let headers = [
            [0; 4],
            [0xff, 0xfd, 0x90, 0x64],
            [0xff, 0xfb, 0xf0, 0x64],
            [0xff, 0xfb, 0x9c, 0x64],
            [0xff, 0xeb, 0x90, 0x64],
        ];
        for header in headers {
            assert_eq!(FrameHeader::parse(&header), Err(Error { found: header }));
        }
        assert_eq!(FrameHeader::parse(&[0xff, 0xfb, 0x90]), Err(Error { found: [0xff, 0xfb, 0x90, 0] }));
    }
}
