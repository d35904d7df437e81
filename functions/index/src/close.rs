//! Closing a record file: its playlist is written, and the file made known.

use naming::{Kind, ObjectName, Values};
use shared::bucket::{self, Location};
use shared::catalog::{Entry, IndexFile, RecordFile, Session, StreamName};
use shared::{Refusal, timezone};

use crate::decision::decide;
use crate::record_file;
use crate::world::World;

/// How many names are tried for a record file before it is left for the next try.
const MOST_NAMES: u32 = 4;

/// Writes a record file's playlist and notes that it is there.
///
/// # Errors
/// What a component refused; the same call can then be made again.
pub async fn close(world: &impl World, stream: &StreamName, due: RecordFile) -> Result<(), Refusal> {
    let file = decide(world, stream, due).await?;
    let session = world.get_session(&file.session).await?;
    let mut entries = world.list_entries(stream, file.slices).await?;
    record_file::fit(&mut entries, file.duration90khz);
    let (at, template) = location(&session, &file)?;
    let object = put_playlist(world, &session, &file, &entries, &at, template).await?;
    let index_file = IndexFile {
        id: record_file::id(&session.id, file.sequence),
        stream: stream.clone(),
        oss_endpoint: at.endpoint,
        oss_bucket: at.bucket,
        object,
        container: file.container,
        start_ms: file.start_ms,
        end_ms: file.end_ms,
        duration90khz: file.duration90khz,
        size: entries.iter().find_map(|entry| entry.slice.video.as_ref()?.size),
        created_ms: world.now_ms(),
    };
    world.add_index_file(index_file).await?;
    Ok(world.commit_file(stream, file).await?)
}

/// Where a record file is written to, and the template of its name.
fn location<'a>(session: &'a Session, file: &RecordFile) -> Result<(Location, &'a str), Refusal> {
    let rule = session.rule.as_ref();
    let format = rule.and_then(|rule| rule.formats.iter().find(|format| format.container == file.container));
    let (Some(rule), Some(format)) = (rule, format) else {
        let message = format!("no rule records session {:?} in this format", session.id);
        return Err(Refusal::unavailable("NotRecorded", message));
    };
    let at = Location { endpoint: rule.oss_endpoint.clone(), bucket: rule.oss_bucket.clone() };
    Ok((at, &format.object_prefix))
}

/// Writes the playlist under the first name that no other writer has taken, and answers that name.
async fn put_playlist(
    world: &impl World,
    session: &Session,
    file: &RecordFile,
    entries: &[Entry],
    at: &Location,
    template: &str,
) -> Result<String, Refusal> {
    let values = Values {
        app: &session.stream.app,
        stream: &session.stream.stream,
        sequence: file.sequence,
        start_ms: file.start_ms,
        end_ms: file.end_ms,
        timezone: timezone(world).await?,
    };
    let name = ObjectName { kind: Kind::RecordFile, template, values, extension: ".m3u8" };
    let tag = format!("{}/m3u8/{}", session.id, file.sequence);
    for names_taken in 0..MOST_NAMES {
        let bad_name = |error: naming::Error| Refusal::unavailable("BadObjectName", error.to_string());
        let object = name.build_for(&session.id, names_taken).map_err(bad_name)?;
        let playlist = record_file::playlist(&object, entries).to_string().into_bytes();
        match world.put_bytes(at.clone(), &object, hls::CONTENT_TYPE, &tag, playlist).await {
            Ok(_) => return Ok(object),
            Err(bucket::Error::Taken) => {}
            Err(error) => {
                return Err(Refusal::from(error).while_doing(&format!("record file {object:?}")));
            }
        }
    }
    let message = format!("{MOST_NAMES} names of record file {} are other writers'", file.sequence);
    Err(Refusal::unavailable("NameTaken", message))
}
