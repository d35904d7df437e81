//! How many bytes a sample takes, as the documentation says.

use media::{AudioCodec, TrackKind, VideoCodec};
use recorder_sample_table::{AudioEntry, Head, Sample, SampleEntry, TableWriter, VideoEntry};

/// Numbers that look random.
fn random(state: &mut u32, below: u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) % below
}

/// Bytes of the tables of six hours, in chunks of 5 s: pictures at a rate, AAC at 48 kHz, stamps of whole milliseconds,
/// decoding reordered.
fn six_hours(pictures_a_second: u64, mean_size: u32) -> usize {
    let video = VideoEntry { codec: VideoCodec::H264, width: 1_920, height: 1_080, record: &[7; 45] };
    let audio = AudioEntry {
        codec: AudioCodec::Aac,
        sample_rate_hz: 48_000,
        channels: 2,
        frame_samples: 1_024,
        in_adts: false,
        record: &[0x11, 0x90],
    };
    let head =
        Head { entries: vec![SampleEntry::Video(video), SampleEntry::Audio(audio)], ..Head::default() };
    let (mut size, mut state) = (0, 1);
    for chunk in 0..6 * 720 {
        let mut writer = TableWriter::new();
        for second in chunk * 5..chunk * 5 + 5 {
            writer.begin_run(TrackKind::Video, 0);
            for n in second * pictures_a_second..(second + 1) * pictures_a_second {
                writer.sample(Sample {
                    dts_90khz: (n * 1_000 / pictures_a_second * 90).cast_signed(),
                    composition_offset_90khz: [0, 6_000, 3_000, 1_500][n as usize % 4] / 90 * 90,
                    size: mean_size / 2 + random(&mut state, mean_size),
                    is_sync: n % (2 * pictures_a_second) == 0,
                });
            }
            writer.begin_run(TrackKind::Audio, 1);
            for n in (second * 48_000).div_ceil(1_024)..((second + 1) * 48_000).div_ceil(1_024) {
                writer.sample(Sample {
                    dts_90khz: (n * 1_024 / 48 * 90).cast_signed(),
                    composition_offset_90khz: 0,
                    size: 300 + random(&mut state, 100),
                    is_sync: true,
                });
            }
        }
        size += writer.finish(&head).len();
    }
    size
}

#[test]
fn six_hours_are_as_many_bytes_as_stated() {
    let most = six_hours(60, 8_000);
    let usual = six_hours(25, 18_000);
    println!("60 pictures a second {most} bytes, 25 pictures a second {usual} bytes");
    assert!(most < 14_000_000, "{most}");
    assert!(usual < 9_000_000, "{usual}");
}
