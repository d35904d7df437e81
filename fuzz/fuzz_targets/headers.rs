//! Configuration records, parameter sets, frame headers and framings: no bytes make a reader panic.
#![no_main]

use codec::{
    Configuration,
    aac::{AdtsFrame, AdtsHeader, AudioSpecificConfig, MAX_FRAME_SIZE, is_loas},
    h264,
    mpa::FrameHeader,
    mpeg4,
    nal_video::{Framing, Message, NalCodec, ParameterSets, UnitRole},
    sei,
};

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let (kind, bytes) = input;
    let codec = if kind & 0x80 == 0 { NalCodec::H264 } else { NalCodec::Hevc };
    match kind % 8 {
        0 => {
            if let Some(configuration) = Configuration::nal(codec, bytes) {
                assert_eq!(Some(&configuration), Configuration::nal(codec, bytes).as_ref());
                let _ = configuration.is_complete();
            }
        }
        1 => {
            let _ = codec.picture_size(bytes);
            let _ = h264::PictureParameterSet::parse(bytes);
            let _ = sei::has_recovery_point(bytes, 1);
        }
        2 => {
            let Some((size, message)) = bytes.split_first() else { return };
            let Some(message) = Message::read(codec, message, Framing::Lengths(size % 4 + 1)) else { return };
            assert!(message.units().all(|unit| !unit.is_empty()));
            let units: usize = message.units().map(<[u8]>::len).sum();
            assert!(units + message.stray.len() <= bytes.len());
        }
        3 => read_sets_and_slices(codec, bytes),
        4 => {
            if let Ok(config) = AudioSpecificConfig::parse(bytes) {
                assert!(config.sample_rate_hz() > 0 || config.extension_sample_rate_hz == Some(0));
                assert!(AdtsHeader::new(&config, bytes.len()).is_some() == (bytes.len() <= MAX_FRAME_SIZE));
            }
            let _ = Configuration::aac(bytes);
        }
        5 => {
            if let Ok(header) = FrameHeader::parse(bytes) {
                assert!(header.sample_rate_hz >= 8_000);
            }
        }
        6 => {
            if let Some(frame) = AdtsFrame::parse(bytes) {
                // Encoding gives back what was read, but for the CRC and for fields that no reader needs.
                let header = AdtsHeader::new(&frame.config, frame.frame_size - frame.header_size);
                if let Some(header) = header {
                    let read = AdtsFrame::parse(header.as_bytes()).expect("a written header should be read");
                    assert_eq!(read.config, frame.config);
                    assert_eq!(read.frame_size - read.header_size, frame.frame_size - frame.header_size);
                }
            }
            let _ = is_loas(bytes);
        }
        _ => {
            let _ = mpeg4::VideoObjectLayer::find(bytes);
            let _ = mpeg4::profile_and_level(bytes);
            let _ = mpeg4::Framing::of(bytes, None);
        }
    }
});

/// Takes a byte stream's parameter sets and compares its coded slices.
fn read_sets_and_slices(codec: NalCodec, bytes: &[u8]) {
    let Some(message) = Message::read(codec, bytes, Framing::StartCodes) else { return };
    let mut sets = ParameterSets::new(codec);
    let mut last = None;
    for unit in message.units() {
        let _ = codec.is_entry(unit);
        match codec.role(unit) {
            UnitRole::ParameterSet(kind) => {
                let _ = sets.insert(kind, unit);
            }
            UnitRole::CodedSlice => {
                if let Some(last) = last {
                    let same = sets.is_same_picture(last, unit);
                    assert_eq!(same, sets.is_same_picture(unit, last));
                }
                last = Some(unit);
            }
            _ => {}
        }
    }
    assert!(sets.units().count() <= ParameterSets::MAX_COUNT);
    let _ = (sets.is_complete(), sets.picture_size());
}
