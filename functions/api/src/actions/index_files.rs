//! An M3U8 over the slices of a range.

use api::{ApiError, Handle, answers::IndexCreated, calls::CreateLiveStreamRecordIndexFiles, faults, range};
use hls::{MediaPlaylist, Segment, relative_uri};
use naming::{Kind, ObjectName, Timezone, Values};
use s3::{Bucket, Endpoints};
use sha2::{Digest, Sha256};

use super::performer::Performer;
use crate::backend::{Backend, World};
use crate::bindings::recorder::bucket::objects::Location;
use crate::bindings::recorder::catalog::catalog::{Container, IndexFile, LocatedEntry, StreamName};
use crate::convert::{domain, index_info, stream};

/// Writes the M3U8 and makes it known.
///
/// Its id follows from what was asked, so that a repeated request finds what the first one made.
impl<W: World> Handle<CreateLiveStreamRecordIndexFiles> for Performer<'_, W> {
    async fn handle(&self, call: CreateLiveStreamRecordIndexFiles) -> Result<IndexCreated, ApiError> {
        let world = self.world;
        let (start_ms, end_ms) = range::content(call.start_time, call.end_time)?;
        let object = object_name(self.settings.timezone, &call, (start_ms, end_ms))?;
        let id = record_id(&call);
        let name = stream(call.domain_name, call.app_name, call.stream_name);
        let target = Location { endpoint: call.oss_endpoint, bucket: call.oss_bucket };
        self.check_bucket(target.clone()).await?;

        let slices = world.slices_between(name.clone(), (start_ms, end_ms), call.end_time_included).await?;
        let Some(source) = slices.first().map(location) else { return Err(nothing(world, name).await?) };
        if slices.iter().any(|slice| location(slice) != source) {
            return Err(faults::INVALID_CONFIG_CHANGED.into());
        }
        let playlist = playlist(&slices, (&source, &self.settings.endpoints), &target, &object)?;
        let tag = tag(&id, &playlist);
        world.put_new(target.clone(), &object, hls::CONTENT_TYPE, &tag, playlist.into_bytes()).await?;
        let file = match world.get_index_file(name.clone(), &id).await? {
            Some(file) => file,
            None => {
                let file = describe(id, name, target, object, &slices, world.now_ms());
                world.add_index_file(file.clone()).await?;
                file
            }
        };
        Ok(IndexCreated { record_info: index_info(file, &self.settings.endpoints).info })
    }
}

/// Why there is nothing to make an index of.
async fn nothing(backend: &impl Backend, name: StreamName) -> Result<ApiError, ApiError> {
    let known = backend.known_stream(name).await?;
    Ok(if known { faults::NO_RECORD_CONTENT.into() } else { faults::INVALID_INDEX_STREAM_NOT_FOUND.into() })
}

fn object_name(
    timezone: Timezone,
    call: &CreateLiveStreamRecordIndexFiles,
    (start_ms, end_ms): (u64, u64),
) -> Result<String, ApiError> {
    let values =
        Values { app: &call.app_name, stream: &call.stream_name, sequence: 0, start_ms, end_ms, timezone };
    ObjectName { kind: Kind::IndexFile, template: &call.oss_object, values, extension: "" }
        .build()
        .map_err(|error| ApiError::from(faults::INVALID_OSS_OBJECT).with_detail(format_args!("The {error}.")))
}

fn location(slice: &LocatedEntry) -> Location {
    Location { endpoint: slice.oss_endpoint.clone(), bucket: slice.oss_bucket.clone() }
}

fn playlist(
    slices: &[LocatedEntry],
    (source, endpoints): (&Location, &Endpoints),
    target: &Location,
    object: &str,
) -> Result<String, ApiError> {
    let segment = |located: &LocatedEntry| {
        let entry = &located.entry;
        let uri = if source == target {
            relative_uri(object, &entry.object)
        } else {
            let bucket = Bucket::with(&source.endpoint, &source.bucket, endpoints);
            bucket.and_then(|bucket| bucket.object_url(&entry.object)).map_err(|error| {
                let cause = format_args!("slice {:?}: {error}", entry.object);
                ApiError::from(faults::INTERNAL_ERROR).caused_by(cause)
            })?
        };
        Ok(Segment {
            uri,
            duration_90khz: entry.duration90khz,
            discontinuity: entry.discontinuity,
            independent: entry.independent,
            program_date_time_ms: Some(entry.start_ms),
        })
    };
    let segments = slices.iter().map(segment).collect::<Result<_, ApiError>>()?;
    Ok(MediaPlaylist { segments }.to_string())
}

fn describe(
    id: String,
    stream: StreamName,
    target: Location,
    object: String,
    slices: &[LocatedEntry],
    created_ms: u64,
) -> IndexFile {
    let ends = slices.iter().map(|slice| slice.entry.start_ms + hls::milliseconds(slice.entry.duration90khz));
    IndexFile {
        id,
        stream,
        oss_endpoint: target.endpoint,
        oss_bucket: target.bucket,
        object,
        container: Container::M3u8,
        start_ms: slices.first().map_or(0, |slice| slice.entry.start_ms),
        end_ms: ends.max().unwrap_or_default(),
        duration90khz: slices.iter().map(|slice| slice.entry.duration90khz).sum(),
        size: slices.iter().find_map(|slice| slice.tracks.size),
        created_ms,
    }
}

/// An id in the form of a UUID, the same for the same request. It names the day of the range's begin.
fn record_id(call: &CreateLiveStreamRecordIndexFiles) -> String {
    let digest = naming::digest([
        domain(&call.domain_name).as_bytes(),
        call.app_name.as_bytes(),
        call.stream_name.as_bytes(),
        call.oss_endpoint.as_bytes(),
        call.oss_bucket.as_bytes(),
        call.oss_object.as_bytes(),
        &call.start_time.to_be_bytes(),
        &call.end_time.to_be_bytes(),
        &[u8::from(call.end_time_included)],
    ]);
    naming::dated_uuid(call.start_time.saturating_mul(1_000), std::array::from_fn(|at| digest[at]))
}

/// What the bucket remembers of the playlist: a request repeated while nothing was recorded in between finds
/// its own.
fn tag(id: &str, playlist: &str) -> String {
    let digest = Sha256::digest(playlist);
    naming::tag::index(id, std::array::from_fn(|at| digest[at]))
}
