//! Configuration records, parameter sets and frame headers: no bytes make a reader panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let (kind, bytes) = input;
    match kind % 7 {
        0 => {
            if let Ok(record) = codec::h264::AvcDecoderConfigurationRecord::parse(bytes) {
                let _ = record.first_sps();
            }
        }
        1 => drop(codec::h264::SequenceParameterSet::parse(bytes)),
        2 => {
            if let Ok(record) = codec::h265::HevcDecoderConfigurationRecord::parse(bytes) {
                let _ = record.first_sps();
            }
        }
        3 => drop(codec::h265::SequenceParameterSet::parse(bytes)),
        4 => {
            if let Ok(config) = codec::aac::AudioSpecificConfig::parse(bytes) {
                assert!(config.sample_rate_hz() > 0 || config.extension_sample_rate_hz == Some(0));
                assert!(
                    codec::aac::AdtsHeader::new(&config, bytes.len()).is_some()
                        == (bytes.len() <= codec::aac::MAX_FRAME_SIZE)
                );
            }
        }
        5 => {
            if let Ok(header) = codec::mpa::FrameHeader::parse(bytes) {
                assert!(header.sample_rate_hz >= 8_000);
            }
        }
        _ => {
            let _ = codec::mpeg4::VideoObjectLayer::find(bytes);
            let _ = codec::mpeg4::profile_and_level(bytes);
            let _ = codec::mpeg4::Framing::of(bytes, None);
        }
    }
});
