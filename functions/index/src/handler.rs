//! From the request to the answer.

use http::StatusCode;
use protocol::{Route, TickAnswer};
use shared::{Answer, Refusal, authorized, json, now_ms, route, variable};
use spin_sdk::http::Request;
use spin_sdk::http_service;

use crate::bindings::recorder::bucket::objects::{Error as BucketError, Location};
use crate::bindings::recorder::catalog::catalog::{
    self, Container, IndexFile, NextFile, RecordFile, Session, StreamName,
};
use crate::bucket;
use crate::record_file::{self, Name, Slice};

/// When a stream is looked at again of which something failed, in milliseconds.
const RETRY_MS: u64 = 5_000;

/// After this long a tick leaves what is due to the next one, in milliseconds.
const MOST_MS: u64 = 15_000;

/// How many names are tried for a record file before it is left for the next try.
const MOST_NAMES: u32 = 4;

#[http_service]
async fn handle(request: Request) -> Answer {
    serve(request).await.unwrap_or_else(Answer::from)
}

async fn serve(request: Request) -> Result<Answer, Refusal> {
    authorized(&request).await?;
    match route(&request)? {
        Route::Tick => tick().await,
        other => Err(Refusal::no_such_route(&other)),
    }
}

async fn tick() -> Result<Answer, Refusal> {
    let began_ms = now_ms();
    let due = catalog::list_due(began_ms).await.map_err(|error| failed(&error))?;
    let mut answer = TickAnswer::default();
    for stream in due.streams {
        if now_ms() > began_ms + MOST_MS {
            // One slow bucket must not keep the other streams' files waiting.
            catalog::set_due(stream, now_ms()).await.map_err(|error| failed(&error))?;
            continue;
        }
        answer.streams += 1;
        if let Err(reason) = see_to(&stream, began_ms, &mut answer).await {
            answer.failures.push(format!("{}: {reason}", name(&stream)));
            catalog::set_due(stream, now_ms() + RETRY_MS).await.map_err(|error| failed(&error))?;
        }
    }
    // Only now: had this call broken off, the next tick would have seen to the same streams.
    catalog::clear_due(due.mark).await.map_err(|error| failed(&error))?;
    Ok(json(StatusCode::OK, &answer))
}

/// Does what is due for a stream, and notes when to look at it again.
async fn see_to(stream: &StreamName, now_ms: u64, answer: &mut TickAnswer) -> Result<(), String> {
    loop {
        let next = catalog::advance_files(stream.clone(), Container::M3u8, now_ms).await;
        match next.map_err(|error| said("advance-files", error))? {
            NextFile::Due(file) => {
                close(stream, file).await?;
                answer.files += 1;
            }
            NextFile::NotBefore(at_ms) => {
                return catalog::set_due(stream.clone(), at_ms).await.map_err(|error| said("set-due", error));
            }
            NextFile::None => return Ok(()),
        }
    }
}

/// Writes a record file's playlist and notes that it is there.
async fn close(stream: &StreamName, due: RecordFile) -> Result<(), String> {
    let file = decide(stream, due).await?;
    let session = catalog::get_session(file.session.clone()).await.map_err(|error| said("session", error))?;
    let entries = catalog::list_entries(stream.clone(), file.slices)
        .await
        .map_err(|error| said("list-entries", error))?;
    let size = entries.iter().find_map(|entry| entry.slice.video.as_ref()?.size);
    let slices: Vec<Slice> = entries
        .into_iter()
        .map(|entry| Slice {
            object: entry.slice.object,
            start_ms: entry.slice.start_ms,
            duration_90khz: entry.slice.duration90khz,
            independent: entry.slice.independent,
            discontinuity: entry.discontinuity,
        })
        .collect();
    let object = put_playlist(&session, &file, &slices).await?;
    let (at, _) = bucket_and_template(&session, &file)?;
    let index_file = IndexFile {
        id: record_file::id(&session.id, file.sequence),
        stream: stream.clone(),
        oss_endpoint: at.endpoint,
        oss_bucket: at.bucket,
        object,
        container: file.container,
        start_ms: file.start_ms,
        end_ms: file.end_ms,
        duration90khz: slices.iter().map(|slice| slice.duration_90khz).sum(),
        size,
        created_ms: now_ms(),
    };
    catalog::add_index_file(index_file).await.map_err(|error| said("add-index-file", error))?;
    catalog::commit_file(stream.clone(), file).await.map_err(|error| said("commit-file", error))
}

/// What the file holds, once and for all.
///
/// Two ticks at once can see a break differently: one before, one after a late chunk. The first of them to
/// create the decision's object wins, and both write the file that it says. Without a work bucket each acts
/// on what it saw.
async fn decide(stream: &StreamName, due: RecordFile) -> Result<RecordFile, String> {
    let work_bucket = variable("work_bucket").await.map_err(|refusal| refusal.problem.message)?;
    if work_bucket.is_empty() {
        return Ok(due);
    }
    let at = bucket::location(&work_bucket)
        .ok_or_else(|| format!("variable work_bucket is {work_bucket:?}, not endpoint/bucket"))?;
    let key = format!("decisions/{}/m3u8/{}-{}.json", name(stream), due.sequence, due.session);
    let bytes = serde_json::to_vec(&due).map_err(|error| error.to_string())?;
    let decided = bucket::put_or_read(&at, &key, bytes).await;
    let decided = decided.map_err(|error| format!("decision {key:?}: {}", explain(error)))?;
    serde_json::from_slice(&decided).map_err(|error| format!("decision {key:?}: {error}"))
}

/// Where a record file is written to, and the template of its name.
fn bucket_and_template<'a>(session: &'a Session, file: &RecordFile) -> Result<(Location, &'a str), String> {
    let rule = session.rule.as_ref().ok_or_else(|| format!("session {} has no rule", session.id))?;
    let format = rule.formats.iter().find(|format| format.container == file.container);
    let format = format.ok_or_else(|| format!("session {} has no such format", session.id))?;
    let at = Location { endpoint: rule.oss_endpoint.clone(), bucket: rule.oss_bucket.clone() };
    Ok((at, &format.object_prefix))
}

async fn put_playlist(session: &Session, file: &RecordFile, slices: &[Slice]) -> Result<String, String> {
    let (at, template) = bucket_and_template(session, file)?;
    let timezone = variable("name_timezone").await.map_err(|refusal| refusal.problem.message)?;
    let name = Name {
        template,
        app: &session.stream.app,
        stream: &session.stream.stream,
        sequence: file.sequence,
        start_ms: file.start_ms,
        end_ms: file.end_ms,
        timezone: timezone.parse().map_err(|error| format!("variable name_timezone: {error}"))?,
        session: &session.id,
    };
    let tag = format!("{}/m3u8/{}", session.id, file.sequence);
    for names_taken in 0..MOST_NAMES {
        let object = name.object(names_taken)?;
        let playlist = record_file::playlist(&object, slices).to_string().into_bytes();
        match bucket::put(at.clone(), &object, hls::CONTENT_TYPE, &tag, playlist).await {
            Ok(_) => return Ok(object),
            Err(BucketError::Taken) => {}
            Err(error) => return Err(format!("record file {object:?}: {}", explain(error))),
        }
    }
    Err(format!("{MOST_NAMES} names of record file {} are somebody else's", file.sequence))
}

/// What the catalog answered to a call.
fn said(call: &str, error: catalog::Error) -> String {
    match error {
        catalog::Error::Store(reason) => format!("catalog {call}: {reason}"),
        other => format!("catalog {call}: {other:?}"),
    }
}

fn explain(error: BucketError) -> String {
    match error {
        BucketError::NoSuchBucket(text) | BucketError::Invalid(text) | BucketError::Unavailable(text) => text,
        BucketError::TooLarge(limit) => format!("the object has more than {limit} bytes"),
        BucketError::Taken => "the name is somebody else's".into(),
        BucketError::NoSuchObject => "there is no such object".into(),
    }
}

fn name(stream: &StreamName) -> String {
    format!("{}/{}/{}", stream.domain, stream.app, stream.stream)
}

fn failed(error: &catalog::Error) -> Refusal {
    Refusal::unavailable("CatalogFailed", format!("{error:?}"))
}
