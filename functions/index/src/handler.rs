//! From the request to the answer.

use http::Request;
use protocol::{Route, Tick, TickAnswer};
use shared::catalog::{Container, NextFile, StreamName};
use shared::{Answer, Refusal, answer_to, authorize, display_name};

use crate::close::close;
use crate::world::World;

/// How long after a failure the stream is due again, in milliseconds.
const RETRY_MS: u64 = 5_000;

/// A tick that has taken this long leaves the remaining streams to the next tick, in milliseconds.
const MOST_MS: u64 = 15_000;

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

async fn tick(world: &impl World) -> Result<TickAnswer, Refusal> {
    let began_ms = world.now_ms();
    let due = world.list_due(began_ms).await?;
    let mut answer = TickAnswer::default();
    for stream in due.streams {
        if world.now_ms() > began_ms + MOST_MS {
            // One slow bucket must not keep the other streams' files waiting.
            world.set_due(&stream, world.now_ms()).await?;
            continue;
        }
        answer.streams += 1;
        if let Err(refusal) = advance(world, &stream, began_ms, &mut answer).await {
            answer.failures.push(format!("{}: {}", display_name(&stream), refusal.problem.message));
            world.set_due(&stream, world.now_ms() + RETRY_MS).await?;
        }
    }
    // Only now: had this call broken off, the next tick would have come to the same streams.
    world.clear_due(due.mark).await?;
    Ok(answer)
}

/// Does what is due for a stream, and notes when the stream is due again.
async fn advance(
    world: &impl World,
    stream: &StreamName,
    now_ms: u64,
    answer: &mut TickAnswer,
) -> Result<(), Refusal> {
    loop {
        match world.advance_files(stream, Container::M3u8, now_ms).await? {
            NextFile::Due(file) => {
                close(world, stream, file).await?;
                answer.files += 1;
            }
            NextFile::NotBefore(at_ms) => return Ok(world.set_due(stream, at_ms).await?),
            NextFile::None => return Ok(()),
        }
    }
}
