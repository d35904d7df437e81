//! What PES packets hold, and what the program map says of them.

use super::{
    reader::{Found, Stream, Tables},
    *,
};

const KEY: &[u8] = &[0x65, 0x88, 0x80];
const SLICE: &[u8] = &[0x41, 0x9a, 3];

/// Muxes units of one codec, 40 ms apart; what each PES packet holds and whether decoding can begin with it.
fn pictures(configs: Vec<VideoConfig<'_>>, units: &[(bool, u32, Data<'_>)]) -> Vec<(bool, Vec<u8>)> {
    let mut media = Media::default();
    media.video.configs = configs;
    let times = (0..).step_by(3_600);
    media.video.units = units
        .iter()
        .zip(times)
        .map(|((key, config, data), dts)| unit(dts, *key, *config, data.clone()))
        .collect();
    let stream = slice(&media, &mut MuxerState::default());
    pes_packets(&stream).into_iter().map(|pes| (pes.is_entry, pes.data)).collect()
}

/// NAL units behind start codes.
fn start_codes(units: &[&[u8]]) -> Vec<u8> {
    units.iter().flat_map(|unit| [&[0, 0, 0, 1], *unit].concat()).collect()
}

#[test]
fn h264_has_delimiters_and_parameter_sets_where_decoding_begins() {
    let (aud, sps, pps) = (&[0x09, 0xf0][..], &[0x67, 1][..], &[0x68, 2][..]);
    let (other_sps, other_pps) = (&[0x67, 3][..], &[0x68, 4][..]);
    let (longest, longer) = (&[0x67; 1_022][..], &[0x67; 1_023][..]);
    let config = |sps| video_config(VideoCodec::H264, &[sps, pps]);
    let units = |units: &[&'static [u8]]| Data::NalUnits(units.to_vec());
    let found = pictures(
        vec![config(sps), config(longest), config(longer)],
        &[
            (true, 0, units(&[aud, KEY])),
            (false, 0, Data::Lengths(&[0, 3, 0x41, 0x9a, 3, 0, 2, 0x41, 7])),
            (true, 0, Data::LengthsInPieces(vec![&[0, 3, 0x65, 0x88, 0x80], &[0, 1, 0x41]])),
            (true, 0, units(&[other_sps, other_pps, KEY])),
            (true, 0, units(&[other_sps, KEY])),
            (false, 1, units(&[SLICE])),
            (true, 1, units(&[KEY])),
            (true, 2, units(&[KEY])),
            // Long sets go once into a slice.
            (true, 2, units(&[KEY])),
            (false, 0, units(&[SLICE])),
            (false, 0, units(&[SLICE])),
        ],
    );
    let expected: [(bool, &[&[u8]]); 11] = [
        (true, &[aud, sps, pps, KEY]),
        (false, &[aud, SLICE, &[0x41, 7]]),
        (true, &[aud, sps, pps, KEY, &[0x41]]),
        // A picture that brings sets of its own may have changed them.
        (true, &[aud, other_sps, other_pps, KEY]),
        (true, &[aud, sps, pps, other_sps, KEY]),
        (false, &[aud, longest, pps, SLICE]),
        (true, &[aud, longest, pps, KEY]),
        (true, &[aud, longer, pps, KEY]),
        (false, &[aud, KEY]),
        (false, &[aud, sps, pps, SLICE]),
        (false, &[aud, SLICE]),
    ];
    for (index, (found, (is_entry, units))) in found.iter().zip(expected).enumerate() {
        assert_eq!(*found, (is_entry, start_codes(units)), "picture {index}");
    }
}

#[test]
fn hevc_has_delimiters_of_the_layer_of_its_pictures() {
    let headers = [&[0x40, 1, 1][..], &[0x42, 1, 2], &[0x44, 1, 3]];
    let (key, slice) = (&[0x26, 0x01, 0xaf][..], &[0x02, 0x03, 0xd0][..]);
    let found = pictures(
        vec![video_config(VideoCodec::Hevc, &headers)],
        &[(true, 0, Data::NalUnits(vec![key])), (false, 0, Data::NalUnits(vec![slice]))],
    );
    let [vps, sps, pps] = headers;
    assert_eq!(found[0], (true, start_codes(&[&[0x46, 1, 0x50], vps, sps, pps, key])));
    assert_eq!(found[1], (false, start_codes(&[&[0x46, 3, 0x50], slice])));
}

#[test]
fn delimiters_between_the_pictures_of_a_message_are_kept() {
    let (aud, sps, pps) = (&[0x09, 0xf0][..], &[0x67, 1][..], &[0x68, 2][..]);
    let (first, second) = (&[0x09, 0x10][..], &[0x09, 0x30][..]);
    // A field, the other one, another slice of that one, and SEI.
    let (top, bottom, rest, sei) = (KEY, SLICE, &[0x41, 0x40, 5][..], &[0x06, 1, 1, 0, 0x80][..]);
    let found = pictures(
        vec![video_config(VideoCodec::H264, &[sps, pps])],
        &[
            (true, 0, Data::NalUnits(vec![first, top, second, bottom])),
            (true, 0, Data::NalUnits(vec![top, second, sei, pps, bottom, rest])),
            (false, 0, Data::NalUnits(vec![first, bottom, rest, second, bottom, second, bottom])),
            // Two in a row are one; one within a picture begins none, nor does one behind the last picture.
            (false, 0, Data::NalUnits(vec![first, first, bottom, second, first, bottom])),
            (false, 0, Data::NalUnits(vec![bottom, second, sei, rest, second, first, rest])),
            (false, 0, Data::NalUnits(vec![first, bottom, second, sei, second])),
        ],
    );
    let expected: [&[&[u8]]; 6] = [
        &[aud, sps, pps, top, second, bottom],
        &[aud, sps, pps, top, second, sei, pps, bottom, rest],
        &[aud, bottom, rest, second, bottom, second, bottom],
        &[aud, bottom, second, bottom],
        &[aud, bottom, sei, rest, rest],
        &[aud, bottom, sei],
    ];
    for (index, (found, units)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.1, start_codes(units), "picture {index}");
    }
}

#[test]
fn delimiters_between_the_pictures_of_a_message_of_hevc_are_kept() {
    let (own, pushed) = (&[0x46, 1, 0x50][..], &[0x46, 1, 0x10][..]);
    let (slice, rest) = (&[0x02, 1, 0xd0][..], &[0x02, 1, 0x50][..]);
    let found = pictures(
        vec![video_config(VideoCodec::Hevc, &[])],
        &[
            (false, 0, Data::NalUnits(vec![pushed, slice, rest, pushed, slice])),
            (false, 0, Data::NalUnits(vec![pushed, slice, pushed, rest])),
        ],
    );
    assert_eq!(found[0].1, start_codes(&[own, slice, rest, pushed, slice]));
    assert_eq!(found[1].1, start_codes(&[own, slice, rest]));
}

#[test]
fn mpeg4_has_its_headers_where_a_picture_does_not_bring_them() {
    let header: &[u8] = &[0, 0, 1, 0xb0, 0xf5, 0, 0, 1, 0x20, 9];
    let vop: &[u8] = &[0xb6, 1, 2, 3];
    let pieces = || Data::Pieces(vec![&[0, 0, 1], vop]);
    let own: &[u8] = &[0, 0, 1, 0xb0, 0xf3, 0, 0, 1, 0xb6, 5];
    let found = pictures(
        vec![video_config(VideoCodec::Mpeg4, &[header])],
        &[(true, 0, pieces()), (false, 0, pieces()), (true, 0, Data::Frame(own))],
    );
    let vop = [&[0, 0, 1], vop].concat();
    assert_eq!(found, [(true, [header, &vop].concat()), (false, vop), (true, own.to_vec())]);
}

#[test]
fn large_pictures_and_sound_come_out_whole() {
    static LARGE: [u8; 100_000] = {
        let mut bytes = [0x41; 100_000];
        let mut index = 1;
        while index < 100_000 {
            bytes[index] = (index / 181) as u8;
            index += 1;
        }
        bytes
    };
    let sizes = [1, 65_500, 65_514, 65_515, 65_516, 100_000];
    let units = sizes.map(|size| (false, 0, Data::NalUnits(vec![&LARGE[..size]])));
    let found = pictures(vec![video_config(VideoCodec::H264, &[])], &units);
    for (size, (_, data)) in sizes.into_iter().zip(found) {
        assert!(data == start_codes(&[&[0x09, 0xf0], &LARGE[..size]]), "{size}");
    }
    // An ADTS header goes before AAC that has none, not before other sound.
    let adts = [0xff, 0xf1, 0x4c, 0x80, 0x01, 0x7f, 0xfc];
    let frame: &[u8] = &[0x21, 0x10, 0x04, 0x60];
    for (config, expected) in [(aac(false), [&adts[..], frame].concat()), (aac(true), frame.to_vec())] {
        let audio = Track { configs: vec![config], units: vec![unit(0, true, 0, Data::Frame(frame))] };
        let stream = slice(&Media { audio, ..Media::default() }, &mut MuxerState::default());
        let found = &pes_packets(&stream)[0];
        assert_eq!((&found.data, found.is_entry), (&expected, true));
    }
}

#[test]
fn presentation_times_are_written_beside_decoding_times() {
    // Where 33 bits end, and where a session may be after years.
    for begin in [0, (1 << 33) - 2 * 3_600, 1 << 45] {
        let mut media = media(&[begin, begin + 3_600, begin + 7_200], &[]);
        media.video.units[0].pts_90khz += 7_201;
        media.video.units[1].pts_90khz += 1;
        let muxer = Muxer::new(media, &MuxerState::default(), MuxerPolicy::default()).unwrap();
        let found = write_in(muxer, 1 << 20);
        let at = found.as_chunks::<188>().0.iter().filter(|packet| packet[1] & 0x5f == 0x41).map(|packet| {
            let payload = &packet[5 + usize::from(packet[4])..];
            let time = |bytes: &[u8]| {
                let [a, b, c, d, e] = std::array::from_fn(|n| u64::from(bytes[n]));
                (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
            };
            let dts = if payload[7] == 0xc0 { time(&payload[14..]) } else { time(&payload[9..]) };
            (time(&payload[9..]), dts)
        });
        let wire = |dts: i64| ((begin + dts + PTS_BASE_90KHZ) % (1 << 33)).cast_unsigned();
        let expected = [(7_201, 0), (3_601, 3_600), (7_200, 7_200)];
        assert_eq!(at.collect::<Vec<_>>(), expected.map(|(pts, dts)| (wire(pts), wire(dts))));
    }
}

/// The versions, clock PIDs and streams that the program maps of a stream say, each once.
fn programs(stream: &[u8]) -> Vec<(u8, u16, Vec<Stream>)> {
    let mut programs = Vec::new();
    for found in read(stream) {
        if let Found::Tables(Tables { version, pcr_pid, streams }) = found {
            programs.push((version, pcr_pid, streams));
        }
    }
    programs.dedup();
    programs
}

#[test]
fn the_program_map_has_a_new_version_with_every_change() {
    let (h264, hevc) = ((0x1b, 0x100, vec![]), (0x24, 0x100, vec![]));
    let (mpeg1, adts) = ((0x03, 0x101, vec![]), (0x0f, 0x101, vec![]));
    let at = |begin: i64| [0, 3_600, 7_200].map(|dts| begin + dts);
    let mut state = MuxerState { version: 30, ..MuxerState::default() };
    let mut next = |media: &Media<'_>| {
        let changed = Muxer::new(media.clone(), &state, MuxerPolicy::default()).unwrap().program_changed();
        (changed, programs(&slice(media, &mut state)))
    };
    let video = |version| (version, 0x100, vec![h264.clone()]);
    let both = |version, video: &Stream, audio: &Stream| (version, 0x100, vec![video.clone(), audio.clone()]);
    assert_eq!(next(&media(&at(0), &[])), (false, vec![video(30)]));
    assert_eq!(next(&media(&at(10_800), &[])), (false, vec![video(30)]));
    // A track more; a track that pauses stays.
    let expected = both(31, &h264, &mpeg1);
    assert_eq!(next(&media(&at(21_600), &[21_600])), (true, vec![expected.clone()]));
    assert_eq!(next(&media(&[], &at(32_400))), (false, vec![expected.clone()]));
    // Another codec within a slice, after 31 comes 0.
    let mut changing = media(&at(43_200), &[43_200]);
    changing.video.configs.push(video_config(VideoCodec::Hevc, &[]));
    changing.video.units[1].config = 1;
    changing.video.units[2].config = 1;
    assert_eq!(next(&changing), (true, vec![expected, both(0, &hevc, &mpeg1)]));
    // Both tracks change at once.
    let mut changed = media(&at(54_000), &[54_000]);
    changed.audio.configs[0] = aac(true);
    assert_eq!(next(&changed), (true, vec![both(1, &h264, &adts)]));
}

#[test]
fn the_program_map_says_the_profile_of_mpeg4_as_soon_as_it_is_seen() {
    let config = |headers: &[&'static [u8]]| video_config(VideoCodec::Mpeg4, headers);
    let vop = || Data::Frame(&[0, 0, 1, 0xb6, 5]);
    let mut state = MuxerState::default();
    let mut profiles = |headers: &[&'static [u8]], begin: i64, data: [Data<'static>; 2]| {
        let mut media = Media::default();
        media.video.configs = vec![config(headers)];
        media.video.units = data
            .into_iter()
            .zip([begin, begin + 3_600])
            .map(|(data, dts)| unit(dts, true, 0, data))
            .collect();
        programs(&slice(&media, &mut state)).into_iter().map(|(.., streams)| streams).collect::<Vec<_>>()
    };
    let stream = |profile| vec![(0x10, 0x100, vec![0x1b, 1, profile])];
    assert_eq!(profiles(&[], 0, [vop(), vop()]), [stream(0)]);
    // As a frame says it, whose start code stood for a length; then as the headers say it.
    let own = Data::Pieces(vec![&[0, 0, 1], &[0xb0, 0xf3, 0, 0, 1, 0xb6, 5]]);
    assert_eq!(profiles(&[], 7_200, [vop(), own]), [stream(0), stream(0xf3)]);
    assert_eq!(profiles(&[&[0, 0, 1, 0xb0, 0xf5]], 14_400, [vop(), vop()]), [stream(0xf5)]);
    assert_eq!(profiles(&[], 21_600, [vop(), vop()]), [stream(0xf5)]);
}

#[test]
fn a_unit_of_a_configuration_that_is_not_there_is_refused() {
    for track in [TrackKind::Video, TrackKind::Audio] {
        let mut media = media(&[0, 3_600], &[0, 1_920]);
        match track {
            TrackKind::Video => media.video.units[1].config = 1,
            TrackKind::Audio => media.audio.units[1].config = 1,
        }
        let error = Muxer::new(media, &MuxerState::default(), MuxerPolicy::default()).unwrap_err();
        assert_eq!(error, ConfigError { index: 1, count: 1 });
    }
}
