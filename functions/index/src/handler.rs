//! From the request to the answer.

use http::Request;
use protocol::{LaneAnswer, Route, Tick};
use shared::catalog::{Container, Lane};
use shared::{Answer, Refusal, answer_to, authorize, lane};

use crate::world::World;
use crate::{close, probe};

/// Answers a request.
pub async fn handle<B>(world: &impl World, request: Request<B>) -> Answer {
    serve(world, request).await.unwrap_or_else(Answer::from)
}

async fn serve<B>(world: &impl World, request: Request<B>) -> Result<Answer, Refusal> {
    authorize(world, request.headers()).await?;
    match Route::parse(request.method(), request.uri().path())? {
        Route::Tick => Ok(answer_to::<Tick>(&tick(world).await?)),
        other => Err(Refusal::no_such_route(&other)),
    }
}

/// So many timers are attended to at once: a host limits what one call may have open.
const AT_ONCE: usize = 16;

async fn tick(world: &impl World) -> Result<LaneAnswer, Refusal> {
    probe::work_bucket(world).await?;
    lane::attend(world, Lane::Tick, AT_ONCE, write_files).await
}

/// Writes the record files of a recording that are whole.
async fn write_files(world: &impl World, recording: &str) -> Result<(), Refusal> {
    while let Some(file) = world.next_file(recording, Container::M3u8).await? {
        close::close(world, file).await?;
    }
    Ok(())
}
