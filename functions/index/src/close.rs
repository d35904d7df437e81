//! Closing a record file: its playlist is written, and the file made known.

use hls::{MediaPlaylist, Segment, relative_uri};
use shared::bucket;
use shared::catalog::{Entry, RecordFile, Session};
use shared::{Refusal, record_file, tag};

use crate::world::World;

/// How many names are tried for a record file before it is left for the next try.
const MOST_NAMES: u32 = 4;

/// Writes a record file's playlist and notes that it is there.
///
/// Every step can be repeated and can run twice at once: what a file holds follows from what is committed, and objects
/// are only ever created.
///
/// # Errors
/// What a component refused; the same call can then be made again.
pub async fn close(world: &impl World, file: RecordFile) -> Result<(), Refusal> {
    let entries = world.list_entries(file.clone()).await?;
    let session = world.get_session(&file.recording).await?;
    let object = put_playlist(world, &session, &file, &entries).await?;
    record_file::commit(world, &session, file, &object).await
}

/// Writes the playlist under the first name that no other writer has taken, and answers that name.
async fn put_playlist(
    world: &impl World,
    session: &Session,
    file: &RecordFile,
    entries: &[Entry],
) -> Result<String, Refusal> {
    let at = record_file::location(session)?;
    let tag = tag::file(&file.recording, "m3u8", file.number);
    let mut file = file.clone();
    for _ in 0..MOST_NAMES {
        let object = world.name_file(file.clone(), file.names_taken).await?;
        let playlist = playlist(&object, entries).to_string().into_bytes();
        match world.put_bytes(at.clone(), &object, hls::CONTENT_TYPE, &tag, playlist).await {
            Ok(_) => return Ok(object),
            Err(bucket::Error::Taken) => file.names_taken = world.take_file_name(file.clone()).await?,
            Err(error) => {
                let refusal = Refusal::from(error);
                record_file::note_refused(world, &session.id, &refusal).await;
                return Err(refusal.while_doing(&format!("record file {object:?}")));
            }
        }
    }
    let message = format!("{MOST_NAMES} names of record file {} are other writers'", file.number);
    Err(Refusal::unavailable("NameTaken", message))
}

/// The playlist of a record file, as it stands under a name.
fn playlist(object: &str, entries: &[Entry]) -> MediaPlaylist {
    let segments = entries.iter().map(|entry| Segment {
        uri: relative_uri(object, &entry.object),
        duration_90khz: entry.duration90khz,
        discontinuity: entry.discontinuity,
        independent: entry.independent,
        program_date_time_ms: Some(entry.start_ms),
    });
    MediaPlaylist { segments: segments.collect() }
}
