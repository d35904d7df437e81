//! What is pushed: clips from ffmpeg's test sources, made once for all tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use crate::flv_tags::{self, Tag};

/// Folder of the clips, made anew by each run.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("clips")
}

/// An ordinary push, before a test bends it.
pub(crate) struct Clip {
    pub(crate) tags: Vec<Tag>,
}

/// How ffmpeg makes a clip.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) seconds: u32,
    /// Options of the encoders, beside those that all clips share.
    pub(crate) options: &'static str,
}

/// 14 s with B-frames and a keyframe each 2 s.
pub(crate) const PLAIN: Recipe = Recipe { name: "plain", seconds: 14, options: "-g 50 -bf 2 -c:a aac" };

/// The same for 8 s.
pub(crate) const SHORT: Recipe = Recipe { name: "short", seconds: 8, options: "-g 50 -bf 2 -c:a aac" };

/// The same for 24 s.
pub(crate) const LONG: Recipe = Recipe { name: "long", seconds: 24, options: "-g 50 -bf 2 -c:a aac" };

/// Parameter sets before each keyframe, and in the sequence header.
pub(crate) const SETS_IN_BAND: Recipe = Recipe {
    name: "sets-in-band",
    seconds: 14,
    options: "-g 50 -bf 2 -x264-params repeat-headers=1 -c:a aac",
};

/// Four slices a picture.
pub(crate) const IN_SLICES: Recipe =
    Recipe { name: "in-slices", seconds: 14, options: "-g 50 -bf 2 -x264-params slices=4 -c:a aac" };

/// A keyframe each 25 s.
pub(crate) const LONG_GOP: Recipe =
    Recipe { name: "long-gop", seconds: 55, options: "-g 625 -bf 2 -c:a aac" };

/// Another size, level and rate of keyframes.
pub(crate) const OTHER_SIZE: Recipe =
    Recipe { name: "other-size", seconds: 12, options: "-g 40 -bf 2 -s 480x272 -c:a aac" };

/// 8 s with sound by another codec.
pub(crate) const MP3: Recipe = Recipe { name: "mp3", seconds: 8, options: "-g 50 -bf 2 -c:a libmp3lame" };

/// The clip of a recipe.
pub(crate) fn clip(recipe: Recipe) -> Arc<Clip> {
    type Made = Arc<OnceLock<Arc<Clip>>>;
    static CLIPS: Mutex<BTreeMap<&str, Made>> = Mutex::new(BTreeMap::new());
    let made = CLIPS.lock().unwrap().entry(recipe.name).or_default().clone();
    made.get_or_init(|| Arc::new(make(recipe))).clone()
}

/// The file of a clip that was made.
pub(crate) fn clip_file(recipe: Recipe) -> PathBuf {
    folder().join(recipe.name).with_extension("flv")
}

fn make(recipe: Recipe) -> Clip {
    std::fs::create_dir_all(folder()).unwrap();
    let file = clip_file(recipe);
    let seconds = recipe.seconds.to_string();
    let mut arguments = vec!["-y", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25"];
    arguments.extend(["-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=44100"]);
    arguments.extend(["-t", &seconds, "-c:v", "libx264", "-preset", "veryfast", "-b:v", "400k"]);
    arguments.extend(["-sc_threshold", "0", "-pix_fmt", "yuv420p", "-b:a", "64k", "-ac", "2"]);
    arguments.extend(recipe.options.split(' '));
    arguments.extend(["-flvflags", "no_duration_filesize", "-f", "flv", file.to_str().unwrap()]);
    harness::ffmpeg::quiet(&arguments).unwrap();
    let tags = flv_tags::read(&std::fs::read(&file).unwrap());
    Clip { tags }
}
