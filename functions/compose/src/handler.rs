//! From the request to the answer.

use http::Request;
use protocol::{Compose, LaneAnswer, Route};
use shared::catalog::{Container, Lane};
use shared::{Answer, Refusal, answer_to, authorize, lane};

use crate::gather;
use crate::made::Pace;
use crate::plan::Sizes;
use crate::world::World;
use crate::write;

/// So many timers are attended to at once: each holds the tables of a file and a few blocks of its media.
const AT_ONCE: usize = 4;

/// A call that has worked for this long leaves the rest to the next one, in milliseconds. A part of 8 MiB, which it may have
/// begun just then, has 68 s to come through; a larger one may be cut off by the call's end, and is sent again.
const MOST_MS: u64 = (protocol::CALL_MAX_S - 70) * 1_000;

/// Answers a request.
pub async fn handle<B>(world: &impl World, request: Request<B>) -> Answer {
    handle_in_parts(world, request, Sizes::DEFAULT).await
}

/// The same with parts and blocks of other sizes.
pub async fn handle_in_parts<B>(world: &impl World, request: Request<B>, sizes: Sizes) -> Answer {
    serve(world, request, sizes).await.unwrap_or_else(Answer::from)
}

async fn serve<B>(world: &impl World, request: Request<B>, sizes: Sizes) -> Result<Answer, Refusal> {
    authorize(world, request.headers()).await?;
    match Route::parse(request.method(), request.uri().path())? {
        Route::Compose => Ok(answer_to::<Compose>(&compose(world, sizes).await?)),
        other => Err(Refusal::no_such_route(&other)),
    }
}

async fn compose<W: World>(world: &W, sizes: Sizes) -> Result<LaneAnswer, Refusal> {
    let pace = Pace { sizes, until_ms: world.now_ms() + MOST_MS };
    let write = async |world: &W, recording: &str| write_files(world, recording, pace).await;
    lane::attend(world, Lane::Compose, AT_ONCE, write).await
}

/// Writes the record files of a recording that are whole, and gathers media of the one that is not. What one fails of does
/// not hold up the others.
async fn write_files(world: &impl World, recording: &str, pace: Pace) -> Result<(), Refusal> {
    let mut outcome = Ok(());
    for container in [Container::Mp4, Container::Flv] {
        outcome = both(outcome, write_files_of(world, recording, container, pace).await);
    }
    both(outcome, gather::gather(world, recording, pace).await)
}

/// What two tries come to. Where one has come further, the next call is to go on soon, whatever the other failed of.
fn both(one: Result<(), Refusal>, other: Result<(), Refusal>) -> Result<(), Refusal> {
    match (one, other) {
        (Err(one), Err(other)) if other.problem.code == lane::UNFINISHED => {
            eprintln!("{}", one.problem.message);
            Err(other)
        }
        (one, other) => one.and(other),
    }
}

async fn write_files_of(
    world: &impl World,
    recording: &str,
    container: Container,
    pace: Pace,
) -> Result<(), Refusal> {
    while let Some(file) = world.next_file(recording, container).await? {
        pace.check(world, || format!("record file {} of {recording} is due", file.number))?;
        write::write(world, file, pace).await?;
    }
    Ok(())
}
