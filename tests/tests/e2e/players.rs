//! What was recorded, played from start to end in a browser.

use std::fs;
use std::sync::LazyLock;

use harness::bucket::{self, Recording};

use crate::browser::{self, Playback, is_installed};
use crate::media_files;
use crate::stage::{recorded, server};
use crate::transport_stream::{SOUND, h264_access_units, program_map};

/// Cases whose record files are played, each by itself.
const PLAYED: [&str; 11] = [
    "clean",
    "sound-late",
    "picture-late",
    "sound-after-a-reconnect",
    "no-sound-after-a-reconnect",
    "long-gop",
    "other-size-in-the-middle",
    "mp3-after-aac",
    "hevc-after-h264",
    "picture-ends",
    "picture-away",
];

/// How far the player's clock may be off, for each timeline that it puts together.
///
/// A slice that ends between keyframes holds pictures that are shown after its end.
const TOLERANCE_S: f64 = 0.2;

/// How late the player may begin: the first picture of a push with B-frames is shown after its first sound, and on
/// a busy machine the player jumps there in place of waiting.
const START_S: f64 = 0.25;

/// Pictures that are decoded twice where the player jumps at the start: what it decodes ahead, up to 30 on a busy machine.
const DECODED_AGAIN: u64 = 50;

/// What the browser played: all record files of the cases above, and an index.
struct Played {
    playbacks: Vec<Playback>,
    index: Recording,
}

/// Everything, played at once; `None`, loudly, where a program is missing.
fn played() -> Option<&'static Played> {
    static PLAYED_ONCE: LazyLock<Played> = LazyLock::new(|| {
        let index = index_into_the_long_gop();
        let files = PLAYED.iter().flat_map(|name| &recorded(name).files);
        let playlists = files.chain([&index]).map(|file| file.object.clone());
        let playlists: Vec<String> = playlists.chain(media_objects()).collect();
        Played { playbacks: play(&playlists), index }
    });
    is_installed().then(|| &*PLAYED_ONCE)
}

/// Plays all at once, and once more by itself what stalls, or sets its position anew though it begins at the start: a
/// busy machine has a player do so now and then, a file does each time.
fn play(playlists: &[String]) -> Vec<Playback> {
    let mut playbacks = browser::play(&server().bucket, playlists);
    for playback in &mut playbacks {
        let has_stalled = playback.errors.iter().any(|error| error.contains("bufferStalledError"));
        let begins_at_start = playback.played.first().is_none_or(|(from_s, _)| *from_s <= 0.0);
        if has_stalled || !playback.ended || playback.seeks > 0 && begins_at_start {
            let once_more = browser::play(&server().bucket, std::slice::from_ref(&playback.playlist));
            *playback = once_more.into_iter().next().unwrap();
        }
    }
    playbacks
}

/// Cases whose MP4 and FLV files are played. (mpegts.js passes over the pictures before sound that is late.)
const MEDIA: [&str; 3] = ["clean", "long-gop", "picture-away"];

fn media_objects() -> Vec<String> {
    let of_case =
        |name| [".mp4", ".flv"].into_iter().flat_map(move |kind| media_files::objects(recorded(name), kind));
    MEDIA.into_iter().flat_map(of_case).collect()
}

impl Played {
    fn of(&self, file: &Recording) -> &Playback {
        self.playbacks.iter().find(|playback| playback.playlist == file.object).unwrap()
    }
}

/// Asks for an index that begins and ends between keyframes.
fn index_into_the_long_gop() -> Recording {
    let object = "index/long-gop.m3u8";
    let target = [("OssBucket", "recordings"), ("OssEndpoint", &server().bucket), ("OssObject", object)];
    let recorded = recorded("long-gop");
    recorded.call("CreateLiveStreamRecordIndexFiles", (8, 45), &target);
    bucket::recordings(server(), "recordings", object).unwrap().remove(0)
}

/// Checks that a playlist was played from start to end: all of its time, and every picture.
fn is_played(playback: &Playback, file: &Recording) {
    let Playback { playlist, ended, position_s, duration_s, .. } = playback;
    assert!(*ended && !playback.errors.iter().any(|error| error.starts_with("fatal")), "{playback:?}");
    let told_s = file.duration_s();
    let timelines = 1 + file.playlist.segments.iter().filter(|segment| segment.discontinuity).count();
    let tolerance_s = TOLERANCE_S * timelines as f64;
    assert!((duration_s - told_s).abs() <= tolerance_s, "{playlist}: {duration_s} s of {told_s} s");
    // One range: the position has advanced all the way, and nothing was jumped over.
    let [(from_s, to_s)] = playback.played[..] else { panic!("{playback:?}") };
    assert!(from_s <= START_S && told_s - to_s <= tolerance_s, "{playback:?}");
    assert!(told_s - position_s <= tolerance_s, "{playback:?}");
    assert!(playback.seeks == 0 || playback.seeks == 1 && from_s > 0.0, "{playback:?}");

    let pictures: usize =
        file.slices().iter().map(|slice| h264_access_units(&fs::read(slice).unwrap()).len()).sum();
    let decoded_again = if playback.seeks == 0 { 0 } else { DECODED_AGAIN };
    let frames = pictures as u64..=pictures as u64 + decoded_again;
    assert!(frames.contains(&playback.frames), "{pictures} pictures, {playback:?}");
    assert_eq!(playback.corrupted, 0, "{playback:?}");

    let map = program_map(&fs::read(&file.slices()[0]).unwrap());
    let has_sound = map.values().any(|kind| SOUND.contains(kind));
    assert_eq!(playback.audio_bytes > 0, has_sound, "{playback:?}");
}

/// Checks every record file of a case.
fn case_is_played(name: &str) {
    let Some(played) = played() else { return };
    for file in &recorded(name).files {
        is_played(played.of(file), file);
    }
}

#[test]
fn a_clean_recording_plays() {
    case_is_played("clean");
}

#[test]
fn files_of_a_push_whose_sound_is_late_play() {
    case_is_played("sound-late");
}

#[test]
fn files_of_a_push_whose_picture_is_late_play() {
    case_is_played("picture-late");
}

#[test]
fn files_before_and_after_a_reconnect_with_sound_play() {
    case_is_played("sound-after-a-reconnect");
}

#[test]
fn files_before_and_after_a_reconnect_without_sound_play() {
    case_is_played("no-sound-after-a-reconnect");
}

#[test]
fn a_recording_with_keyframes_far_apart_plays() {
    case_is_played("long-gop");
}

#[test]
fn an_index_into_a_long_group_of_pictures_plays() {
    let Some(played) = played() else { return };
    is_played(played.of(&played.index), &played.index);
}

#[test]
fn a_change_of_size_and_profile_plays() {
    case_is_played("other-size-in-the-middle");
}

#[test]
fn files_before_and_after_a_change_of_the_sound_codec_play() {
    case_is_played("mp3-after-aac");
}

/// Chromium as Debian builds it decodes no HEVC: ffmpeg judges the second file.
#[test]
fn the_file_before_a_change_of_the_picture_codec_plays() {
    let Some(played) = played() else { return };
    let file = &recorded("hevc-after-h264").files[0];
    is_played(played.of(file), file);
}

#[test]
fn a_recording_whose_picture_ends_plays() {
    case_is_played("picture-ends");
}

#[test]
fn a_recording_whose_picture_goes_and_comes_back_plays() {
    case_is_played("picture-away");
}

/// Each is played from its begin to its end, and shows every picture.
#[test]
fn mp4_and_flv_files_play() {
    let Some(played) = played() else { return };
    for name in MEDIA {
        let pictures = frames_of(name);
        for kind in [".mp4", ".flv"] {
            let objects = media_files::objects(recorded(name), kind);
            assert!(!objects.is_empty(), "{name} has no {kind}");
            let mut frames = 0;
            for object in objects {
                let playback = played.playbacks.iter().find(|playback| playback.playlist == object).unwrap();
                let Playback { ended, position_s, duration_s, .. } = playback;
                assert!(*ended && playback.errors.is_empty(), "{playback:?}");
                assert!((duration_s - position_s).abs() <= TOLERANCE_S, "{playback:?}");
                assert_eq!(playback.corrupted, 0, "{playback:?}");
                assert!(playback.audio_bytes > 0, "{playback:?}");
                frames += playback.frames;
            }
            assert!(
                (pictures..=pictures + DECODED_AGAIN).contains(&frames),
                "{name} {kind}: {frames} of {pictures}"
            );
        }
    }
}

/// The pictures of a case's record files.
fn frames_of(name: &str) -> u64 {
    let slices = recorded(name).files.iter().flat_map(Recording::slices);
    slices.map(|slice| h264_access_units(&fs::read(slice).unwrap()).len() as u64).sum()
}
