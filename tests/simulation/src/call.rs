//! Calls: who asks what, and what it came to.

use http::Request;
use protocol::{Call as _, Compose, Deliver, Route, Tick};
use recorder_compose_function::Sizes;
use shared::Answer;
use shared::catalog::Command;
use shared::testing::{Sent, World, request};

use std::rc::Rc;

use crate::stream_name;

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A push's begin.
    Begin,
    /// A chunk.
    Chunk,
    /// A push's end.
    End,
    /// A heartbeat.
    Beat,
    /// A tick.
    Tick,
    /// A call of the lane that makes record files with media.
    Compose,
    /// A call of the lane that delivers callbacks.
    Deliver,
    /// A command of the API.
    Command,
    /// Whether a publisher may push: a real gateway asks.
    Admission,
}

impl Kind {
    /// Its name in the trace and in the counts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Chunk => "chunk",
            Self::End => "end",
            Self::Beat => "heartbeat",
            Self::Tick => "tick",
            Self::Compose => "composition",
            Self::Deliver => "delivery",
            Self::Command => "command",
            Self::Admission => "admission",
        }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A request to a route.
    Route(Request<Sent>),
    /// A request for record files, in parts and blocks of these sizes.
    Compose(Request<Sent>, Sizes),
    /// A command for a stream.
    Command(protocol::StreamPath, Command),
}

/// A call.
#[derive(Clone, Debug)]
pub struct Call {
    /// What it is for.
    pub kind: Kind,
    /// What is asked.
    pub ask: Ask,
    /// The gateway that waits for its answer, with the gateway's name of the call.
    pub from: Option<(usize, u64)>,
    /// When it was made, in true time.
    pub asked_ms: u64,
}

impl Call {
    /// A call of a lane; `sizes` are those of parts and blocks.
    #[must_use]
    pub fn lane(kind: Kind, sizes: Sizes, asked_ms: u64) -> Self {
        let ask = match kind {
            Kind::Compose => Ask::Compose(request(&Compose::route(()), ""), sizes),
            Kind::Deliver => Ask::Route(request(&Deliver::route(()), "")),
            _ => Ask::Route(request(&Tick::route(()), "")),
        };
        Self { kind, ask, from: None, asked_ms }
    }

    /// As a line of the trace.
    #[must_use]
    pub fn line(&self) -> String {
        match &self.ask {
            Ask::Route(request) | Ask::Compose(request, _) => {
                let path = request.uri().path();
                let body = match self.kind {
                    Kind::Chunk => {
                        request.headers().get(protocol::GENERATION_HEADER).map(http::HeaderValue::as_bytes)
                    }
                    _ => Some(&request.body().bytes[..]),
                };
                format!("{} {path} {}", self.kind.name(), String::from_utf8_lossy(body.unwrap_or_default()))
            }
            Ask::Command(stream, command) => format!("command {command:?} {stream}"),
        }
    }
}

/// Answers a call.
pub async fn serve(world: Rc<World>, ask: Ask) -> Answer {
    match ask {
        Ask::Route(request) => {
            let world = &*world;
            match Route::parse(request.method(), request.uri().path()) {
                Ok(Route::Chunk(_)) => recorder_remux_function::handler::handle(world, request).await,
                Ok(Route::Tick) => recorder_index_function::handler::handle(world, request).await,
                Ok(Route::Deliver) => recorder_deliver_function::handler::handle(world, request).await,
                _ => recorder_on_demand_function::handler::handle(world, request).await,
            }
        }
        Ask::Compose(request, sizes) => {
            recorder_compose_function::handler::handle_in_parts(&*world, request, sizes).await
        }
        Ask::Command(stream, command) => {
            let given = world.give_command(&stream_name(&stream), command).await;
            let mut answer = Answer::default();
            if let Err(error) = given {
                *answer.status_mut() = match error {
                    shared::catalog::Error::Store(_) | shared::catalog::Error::Unfit(_) => {
                        http::StatusCode::SERVICE_UNAVAILABLE
                    }
                    _ => http::StatusCode::BAD_REQUEST,
                };
                answer.body_mut().push_str(&format!("{error:?}"));
            }
            answer
        }
    }
}
