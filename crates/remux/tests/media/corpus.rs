//! The corpus, recorded: bit-exact, in time, and accepted by judges that we did not write.

use std::path::Path;

use recorder_remux::{Policy, Slice, remux};

use crate::{
    chunks, compare,
    entries::{self, Sample},
    ffmpeg, record_files, target_decoder, transport_stream, tstools,
};

/// Remuxes a session's chunks.
pub(crate) fn record(chunks: &[Vec<u8>]) -> Vec<(Slice, Vec<u8>)> {
    let mut state = Vec::new();
    let mut slices = Vec::new();
    for chunk in chunks {
        let (slice, mut muxer) = remux(chunk, &state, &Policy::default()).unwrap();
        // Blocks that are no multiple of a packet.
        let mut stream = Vec::new();
        let mut block = Vec::with_capacity(188 * 7 + 1);
        loop {
            block.clear();
            muxer.write(&mut block);
            if block.is_empty() {
                break;
            }
            stream.extend_from_slice(&block);
        }
        assert_eq!(stream.len() as u64, slice.size, "the size told before writing");
        state = slice.state.clone();
        slices.push((slice, stream));
    }
    record_files::check(chunks, &slices);
    slices
}

/// Open GOPs and intra refresh have pictures at the start of a slice that refer to what is not in it.
fn slices_stand_alone(name: &str) -> bool {
    !["h264_open_gop", "h264_intra_refresh", "hevc_open_gop"].contains(&name)
}

fn check(sample: &Sample) {
    let name = &sample.entry.name;
    for target_ms in [u32::MAX, 2_000, 0] {
        let slices = record(&chunks::cut(&sample.flv, target_ms));
        for (slice, _) in &slices {
            assert!(slice.independent && !slice.discontinuity, "{name}: {slice:.80?}");
        }
        let stream: Vec<u8> = slices.iter().flat_map(|(_, stream)| stream).copied().collect();
        let multiplex = transport_stream::check_multiplex(&stream, 9_000);
        assert_eq!(multiplex.versions, [0], "{name}: one program throughout");
        check_media(sample, &slices, &stream);
        check_spans(&slices);
        if target_ms == 2_000 {
            let frames = ffmpeg::frame_hashes(&sample.master);
            judge(sample, &frames, &slices, &stream);
            record_files::judge(sample, &frames, &chunks::cut(&sample.flv, target_ms));
        }
    }
}

/// The timestamp of the first frame of either track: the session's zero.
pub(crate) fn start_ms(file: &[u8]) -> i64 {
    let is_frame = |tag: &flv::Tag<'_>| match tag.kind {
        flv::TagKind::Video => {
            flv::VideoTagHeader::parse(tag.body).unwrap().packet == flv::VideoPacket::Frame
        }
        flv::TagKind::Audio => {
            flv::AudioTagHeader::parse(tag.body).unwrap().packet == flv::AudioPacket::Frame
        }
        flv::TagKind::Script => false,
    };
    let tags = flv::Reader::new(file).unwrap().map(Result::unwrap);
    tags.filter(is_frame).map(|tag| i64::from(tag.timestamp_ms)).next().unwrap()
}

fn check_media(sample: &Sample, slices: &[(Slice, Vec<u8>)], stream: &[u8]) {
    let (video_pes, audio_pes) = transport_stream::pes_packets(stream);
    let first_ms = start_ms(&sample.flv);
    // ffprobe's times of an FLV are the tags'; the first tag stands for the session's zero.
    let base = mpegts::PTS_BASE_90KHZ - first_ms * 90;
    if let Some(source) = &sample.source.video {
        let decoding_shift = base + source.packets[0].dts_ms * 90 - video_pes[0].dts;
        assert!((0..=90_000).contains(&decoding_shift));
        assert_eq!(decoding_shift > 0, sample.entry.name == "h264_negative");
        compare::video(source, &video_pes, base, decoding_shift);
        let units: u32 =
            slices.iter().filter_map(|(slice, _)| slice.video.as_ref()).map(|track| track.access_units).sum();
        assert_eq!(units as usize, source.packets.len());
        let track = slices[0].0.video.as_ref().unwrap();
        let width = if sample.entry.name.ends_with("_other_size") { 160 } else { 320 };
        assert_eq!(
            (track.codec, track.size),
            (source.codec.as_str(), Some(media::PictureSize { width, height: width * 9 / 16 }))
        );
    } else {
        assert!(video_pes.is_empty());
    }
    let mut frame_duration = 0.0;
    if let Some(source) = &sample.source.audio {
        let track = slices[0].0.audio.as_ref().unwrap();
        assert_eq!(track.codec, source.codec);
        let rate_hz = f64::from(track.sample_rate_hz);
        let (samples, core_rate_hz) = match track.codec {
            "aac" if sample.entry.name == "aac_he" => (1024.0, rate_hz / 2.0),
            "aac" => (1024.0, rate_hz),
            _ if rate_hz < 32_000.0 => (576.0, rate_hz),
            _ => (1152.0, rate_hz),
        };
        frame_duration = samples * 90_000.0 / core_rate_hz;
        compare::audio(source, &audio_pes, base, frame_duration);
    } else {
        assert!(audio_pes.is_empty());
    }
    let sizes = match sample.source.audio.as_ref().map(|audio| audio.codec.as_str()) {
        Some("aac") => compare::adts_sizes,
        _ => |data: &[u8]| vec![data.len()],
    };
    let fullness = target_decoder::play(stream, frame_duration, sizes);
    // Of more than two channels, and of two.
    let audio_buffer = if sample.entry.name.starts_with("aac_5_1") { 8_976 } else { 3_584 };
    // Of H.264 at level 1.2, the lowest here (14496-10 table A-1).
    let video_buffer = 150_000;
    assert!(fullness.audio <= audio_buffer && fullness.video <= video_buffer, "{fullness:?}");
}

/// Slices follow one another without gap or overlap beyond what rounding to milliseconds leaves.
fn check_spans(slices: &[(Slice, Vec<u8>)]) {
    for pair in slices.windows(2) {
        let end = pair[0].0.start_90khz + pair[0].0.duration_90khz;
        assert!(
            end.abs_diff(pair[1].0.start_90khz) <= 180,
            "a slice ends at {end}, the next begins at {}",
            pair[1].0.start_90khz
        );
    }
}

/// `frames`: what is decoded of the source.
fn judge(sample: &Sample, frames: &[Option<Vec<String>>; 2], slices: &[(Slice, Vec<u8>)], stream: &[u8]) {
    let name = &sample.entry.name;
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    let whole = directory.join(name).with_extension("ts");
    std::fs::write(&whole, stream).unwrap();
    ffmpeg::decodes_without_a_warning(&whole);
    tstools::reports_no_error(&whole);
    ffmpeg::same_frames(name, frames, &whole);
    if slices_stand_alone(name) {
        // ffmpeg does not recognise a stream of a few packets, such as the end of an audio recording.
        let recognisable = slices.iter().filter(|(slice, _)| slice.size > 188 * 32);
        let write = |(index, (_, slice)): (usize, &(Slice, Vec<u8>))| {
            let path = directory.join(format!("{name}-{index}.ts"));
            std::fs::write(&path, slice).unwrap();
            path
        };
        ffmpeg::decode_without_a_warning(&recognisable.enumerate().map(write).collect::<Vec<_>>());
    }
}

/// Every entry of the list in a test of its own, and a proof that none is left out.
macro_rules! corpus_tests {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                if ffmpeg::is_installed() {
                    check(&entries::sample(stringify!($name)));
                }
            }
        )+

        #[test]
        fn every_entry_of_the_list_is_tested() {
            let names: Vec<String> = entries::all().into_iter().map(|entry| entry.name).collect();
            assert_eq!(names, [$(stringify!($name)),+]);
        }
    };
}

corpus_tests! {
    h264_aac h264_only h264_baseline_mp3 h264_open_gop h264_multislice h264_interlaced h264_intra_refresh
    h264_50fps h264_60fps h264_29_97fps h264_2fps h264_2fps_only h264_avc1 h264_negative
    h264_other_size hevc_id12 hevc_hvc1 hevc_hvc1_x hevc_temporal hevc_open_gop
    hevc_other_size hevc_mp3 mpeg4_other_size mpeg4_mp3 mpeg4_bframes_aac mpeg4_lengths mpeg4_in_band
    mpeg4_groups aac_only aac_mono_16k aac_he aac_5_1 aac_5_1_side mp3_only mp3_only_48k mp3_22k mp3_8k
}
