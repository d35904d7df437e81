//! Writing a record file, and noting that it is there.

use std::fmt::Display;

use shared::bucket::{Error, Location};
use shared::catalog::{Container, MediaChunk, MediaGroup, RecordFile, Session};
use shared::{Refusal, files, record_file, tag};

use crate::made::{Made, Pace};
use crate::parts;
use crate::source;
use crate::world::World;

/// How many names are tried for a record file before it is left for the next try.
const MOST_NAMES: u32 = 4;

/// Writes a record file and notes that it is there.
///
/// # Errors
/// What a component refused; the same call can then be made again.
pub(crate) async fn write(world: &impl World, mut file: RecordFile, pace: Pace) -> Result<(), Refusal> {
    let (container, content_type, word) = match file.container {
        Container::Mp4 => (files::Container::Mp4, "video/mp4", "mp4"),
        Container::Flv => (files::Container::Flv, "video/x-flv", "flv"),
        Container::M3u8 => return Err(Refusal::unavailable("NoMedia", "a playlist holds no media")),
    };
    let session = world.get_session(&file.recording).await?;
    let mut media = world.list_media(file.clone(), pace.sizes.block).await?;
    set_gaps(&session, media.iter_mut().flat_map(|group| &mut group.chunks));
    let at = record_file::location(&session)?;
    let (tables, media) = match source::read(world, &media).await {
        Err(gone) if gone.problem.code == source::MEDIA_GONE => {
            // It went once the file was there, which a store that was lost had known.
            let tag = tag::file(&file.recording, word, file.number);
            return match find_written(world, &at, &file, &tag).await? {
                Some(object) => record_file::commit(world, &session, file, &object).await,
                None if world.may_lack(&file.recording).await? && is_gone(world, &media).await? => {
                    // It was moved since, or ended elsewhere in the store that was lost.
                    eprintln!("{word} file {} of {}: its media is gone", file.number, file.recording);
                    record_file::pass_over(world, file).await
                }
                None => Err(gone),
            };
        }
        read => read?,
    };
    let left_out = |what: &dyn Display| {
        eprintln!("{word} file {} of {}: {what} that such a file cannot hold", file.number, file.recording);
    };
    let (layout, laid_out) = match world.lay_out(container, file.start_ms / 1_000, tables).await {
        Err(files::Error::Empty) => {
            left_out(&"there is nothing but samples");
            return record_file::pass_over(world, file).await;
        }
        laid_out => laid_out?,
    };
    if layout.left_out > 0 {
        left_out(&format_args!("it lacks {} samples", layout.left_out));
    }
    let made = Made {
        container,
        content_type,
        tag: tag::file(&file.recording, word, file.number),
        work: shared::work_bucket(world).await?,
        file: laid_out,
        media,
    };
    let object = put(world, &at, &file, &made, layout.size, pace).await?;
    // Of gaps, and of how long the last sample lasts, the file itself tells.
    file.duration90khz = layout.duration90khz;
    record_file::commit(world, &session, file, &object).await
}

/// Whether the last media of a file is gone, too: what came after the store was lost is not given up with what was before.
async fn is_gone(world: &impl World, media: &[MediaGroup]) -> Result<bool, Refusal> {
    match source::read(world, media.last().map_or(media, std::slice::from_ref)).await {
        Err(gone) if gone.problem.code == source::MEDIA_GONE => Ok(true),
        read => read.map(|_| false),
    }
}

/// Leaves gaps out where the recording does not keep them. Two sessions may have been begun by hosts whose clocks are apart:
/// a break between them lasted no longer than the rule's delay, since the file goes on.
fn set_gaps<'a>(recording: &Session, chunks: impl Iterator<Item = &'a mut MediaChunk>) {
    let delay_ms = recording.rule.as_ref().map_or(0, |rule| u64::from(rule.delay_seconds) * 1_000);
    let mut before: Option<&str> = None;
    for MediaChunk { session, gap_ms, .. } in chunks {
        let longest_ms = match before.replace(session) {
            _ if !recording.keeps_gaps => 0,
            Some(before) if before != session => delay_ms,
            _ => u64::MAX,
        };
        *gap_ms = gap_ms.map(|gap_ms| gap_ms.min(longest_ms));
    }
}

/// The name of a file that is there.
async fn find_written(
    world: &impl World,
    at: &Location,
    file: &RecordFile,
    tag: &str,
) -> Result<Option<String>, Refusal> {
    for names_taken in 0..MOST_NAMES {
        let object = world.name_file(file.clone(), names_taken).await?;
        if world.is_own(at.clone(), &object, tag).await? {
            return Ok(Some(object));
        }
    }
    Ok(None)
}

/// Writes the file under the first name that no other writer has taken, and answers that name.
async fn put<W: World>(
    world: &W,
    at: &Location,
    file: &RecordFile,
    made: &Made<W>,
    size: u64,
    pace: Pace,
) -> Result<String, Refusal> {
    let mut file = file.clone();
    for _ in 0..MOST_NAMES {
        let object = world.name_file(file.clone(), file.names_taken).await?;
        let created = if size <= pace.sizes.part {
            let put = async |body| {
                world.put_new(at.clone(), &object, made.content_type, &made.tag, size, body).await
            };
            made.write(world, 0, size, put).await.map(drop).map_err(parts::Failure::from)
        } else {
            parts::Uploading { world, at, file: &file, object: &object, made, pace }.put(size).await
        };
        match created {
            Ok(()) => return Ok(object),
            Err(parts::Failure::Bucket(Error::Taken)) => {
                file.names_taken = world.take_file_name(file.clone()).await?;
            }
            Err(failure) => {
                return Err(Refusal::from(failure).while_doing(&format!("record file {object:?}")));
            }
        }
    }
    let message = format!("{MOST_NAMES} names of record file {} are other writers'", file.number);
    Err(Refusal::unavailable("NameTaken", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gaps of chunks of two sessions, before the second, third and fourth of them.
    fn gaps(keeps_gaps: bool, gaps_ms: [Option<u64>; 3]) -> Vec<Option<u64>> {
        let recording = Session { keeps_gaps, ..shared::testing::session('a', 0) };
        let rule = recording.rule.as_ref();
        assert_eq!(rule.map(|rule| rule.delay_seconds), Some(15));
        let chunk = |(place, gap_ms)| MediaChunk {
            session: if place < 2 { "a".into() } else { "b".into() },
            seq: place,
            gap_ms,
        };
        let [one, two, three] = gaps_ms;
        let mut chunks: Vec<_> = (0..).zip([None, one, two, three]).map(chunk).collect();
        set_gaps(&recording, chunks.iter_mut());
        chunks.into_iter().skip(1).map(|chunk| chunk.gap_ms).collect()
    }

    #[test]
    fn a_break_between_pushes_is_no_longer_than_the_delay_whatever_their_clocks_say() {
        let lost_in_a_push = Some(600_000);
        assert_eq!(gaps(false, [lost_in_a_push, Some(7), None]), [Some(0), Some(0), None]);
        assert_eq!(gaps(true, [lost_in_a_push, Some(7), None]), [lost_in_a_push, Some(7), None]);
        assert_eq!(gaps(true, [None, Some(3_600_000), Some(20_000)]), [None, Some(15_000), Some(20_000)]);
    }
}
