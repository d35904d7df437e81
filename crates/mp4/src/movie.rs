//! The movie box: headers, edit lists, and the tracks' sample tables.

use media::TrackKind;

use crate::{Error, Policy, entry::small_box, pieces::Pieces, time::TICKS_A_SECOND, track::Track};

/// Seconds from 1904, with which ISO files begin, to 1970.
const UNIX_EPOCH_S: u64 = 2_082_844_800;

/// Nothing is turned, moved or made larger.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// When a track's media plays. Unit: 1/90 000 s, of `media_time` the track's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// How long after the file's begin.
    empty_90khz: u64,
    /// From which time of the media on.
    media_time: i64,
    /// For how long.
    shown_90khz: u64,
    /// All there is of the track, without any edit.
    media_90khz: u64,
}

impl Edit {
    pub(crate) fn duration_90khz(&self) -> u64 {
        self.empty_90khz + self.shown_90khz
    }

    /// A file without this edit would play the same.
    fn is_needless(&self) -> bool {
        self.empty_90khz == 0 && self.media_time == 0 && self.shown_90khz == self.media_90khz
    }
}

/// The edits of each track. The file begins with what is shown or heard first.
///
/// An edit begins with the presentation time of a sample: FFmpeg finds none before, and would then lose how much later
/// the track begins.
pub(crate) fn edits(tracks: &[Track]) -> Vec<Edit> {
    let first_shown = |track: &Track| track.origin_90khz + track.scale.to_90khz(track.first_shown);
    let begin = tracks.iter().map(first_shown).min().unwrap_or(0);
    let edit = |track: &Track| {
        let media_time = track.first_shown;
        let lengths = track.lengths();
        Edit {
            empty_90khz: (first_shown(track) - begin).cast_unsigned(),
            media_time,
            shown_90khz: track.scale.to_90khz(lengths.shown_until - media_time).cast_unsigned(),
            media_90khz: track.scale.to_90khz(lengths.media.cast_signed()).cast_unsigned(),
        }
    };
    tracks.iter().map(edit).collect()
}

/// The movie box, and how long the file plays.
pub(crate) fn moov(tracks: Vec<Track>, policy: &Policy) -> Result<(Pieces, u64), Error> {
    let edits = edits(&tracks);
    let duration_90khz = edits.iter().map(Edit::duration_90khz).max().unwrap_or(0);
    let created = policy.created_unix_s.map_or(0, |unix_s| unix_s.saturating_add(UNIX_EPOCH_S));
    let mut content = Pieces::default();
    content.push_bytes(mvhd(created, duration_90khz, tracks.len() as u32 + 1));
    for ((track, edit), id) in tracks.into_iter().zip(edits).zip(1..) {
        content.append(trak(track, edit, id, created)?);
    }
    Ok((content.into_box(*b"moov")?, duration_90khz))
}

fn trak(track: Track, edit: Edit, id: u32, created: u64) -> Result<Pieces, Error> {
    let mut content = Pieces::default();
    content.push_bytes(tkhd(&track, id, created, edit.duration_90khz()));
    if !edit.is_needless() {
        content.push_bytes(small_box(*b"edts", &elst(edit)));
    }
    let mut media = Pieces::default();
    media.push_bytes(mdhd(created, track.scale.0, track.lengths().media));
    let (handler, name, header) = match track.kind {
        TrackKind::Video => (b"vide", &b"VideoHandler\0"[..], full_box(*b"vmhd", 0, 1, &[0; 8])),
        TrackKind::Audio => (b"soun", &b"SoundHandler\0"[..], full_box(*b"smhd", 0, 0, &[0; 4])),
    };
    media.push_bytes(full_box(*b"hdlr", 0, 0, &[&[0; 4], &handler[..], &[0; 12], name].concat()));
    let mut information = Pieces::default();
    information.push_bytes(header);
    // The media is in this file.
    let url = full_box(*b"url ", 0, 1, &[]);
    let dref = full_box(*b"dref", 0, 0, &[&[0, 0, 0, 1][..], &url].concat());
    information.push_bytes(small_box(*b"dinf", &dref));
    information.append(track.into_stbl()?);
    media.append(information.into_box(*b"minf")?);
    content.append(media.into_box(*b"mdia")?);
    content.into_box(*b"trak")
}

fn mvhd(created: u64, duration_90khz: u64, next_track_id: u32) -> Vec<u8> {
    let fields = Times::new(created, &[Word(TICKS_A_SECOND)], duration_90khz);
    // Rate and volume of 1.
    let mut content = [&fields.bytes[..], &[0, 1, 0, 0, 1, 0], &[0; 10]].concat();
    content.extend(MATRIX.iter().flat_map(|number| number.to_be_bytes()));
    content.extend_from_slice(&[0; 24]);
    content.extend_from_slice(&next_track_id.to_be_bytes());
    full_box(*b"mvhd", fields.version, 0, &content)
}

/// The track is played.
const ENABLED_IN_MOVIE: u32 = 3;

fn tkhd(track: &Track, id: u32, created: u64, duration_90khz: u64) -> Vec<u8> {
    let fields = Times::new(created, &[Word(id), Word(0)], duration_90khz);
    let volume = if track.kind == TrackKind::Audio { [1, 0] } else { [0, 0] };
    let mut content = [&fields.bytes[..], &[0; 8], &[0; 4], &volume, &[0; 2]].concat();
    content.extend(MATRIX.iter().flat_map(|number| number.to_be_bytes()));
    for side in [track.shown_size.0, track.shown_size.1] {
        content.extend_from_slice(&side.to_be_bytes());
    }
    full_box(*b"tkhd", fields.version, ENABLED_IN_MOVIE, &content)
}

fn mdhd(created: u64, timescale: u32, duration: u64) -> Vec<u8> {
    let fields = Times::new(created, &[Word(timescale)], duration);
    // An undetermined language.
    full_box(*b"mdhd", fields.version, 0, &[&fields.bytes[..], &[0x55, 0xc4, 0, 0]].concat())
}

fn elst(edit: Edit) -> Vec<u8> {
    let empty = (edit.empty_90khz > 0).then_some((edit.empty_90khz, -1));
    let edits = [empty, Some((edit.shown_90khz, edit.media_time))];
    let is_short =
        |&(duration, time): &(u64, i64)| duration <= u32::MAX.into() && i32::try_from(time).is_ok();
    let is_long = !edits.iter().flatten().all(is_short);
    let mut content = (edits.iter().flatten().count() as u32).to_be_bytes().to_vec();
    for (duration, time) in edits.into_iter().flatten() {
        if is_long {
            content.extend_from_slice(&[duration.to_be_bytes(), time.to_be_bytes()].concat());
        } else {
            content
                .extend_from_slice(&[(duration as u32).to_be_bytes(), (time as i32).to_be_bytes()].concat());
        }
        content.extend_from_slice(&[0, 1, 0, 0]);
    }
    full_box(*b"elst", u8::from(is_long), 0, &content)
}

/// A number of 32 bits that stands between times.
struct Word(u32);

/// Creation and modification time, the words between, and a duration, of 32 bits or of 64 where one needs them.
struct Times {
    version: u8,
    bytes: Vec<u8>,
}

impl Times {
    fn new(created: u64, between: &[Word], duration: u64) -> Self {
        let is_long = created > u32::MAX.into() || duration > u32::MAX.into();
        let mut bytes = Vec::new();
        let mut push = |number: u64| {
            let number = number.to_be_bytes();
            bytes.extend_from_slice(if is_long { &number } else { &number[4..] });
        };
        push(created);
        push(created);
        // `tkhd` has reserved words behind its identifier.
        let between: Vec<u8> = between.iter().flat_map(|word| word.0.to_be_bytes()).collect();
        bytes.extend_from_slice(&between);
        let number = duration.to_be_bytes();
        bytes.extend_from_slice(if is_long { &number } else { &number[4..] });
        Self { version: u8::from(is_long), bytes }
    }
}

fn full_box(kind: [u8; 4], version: u8, flags: u32, content: &[u8]) -> Vec<u8> {
    let head = u32::from(version) << 24 | flags;
    small_box(kind, &[&head.to_be_bytes()[..], content].concat())
}
