//! Which JSON body goes to which route, and what is answered to it.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    AskAdmission, BeginSession, Compose, Deliver, EndAnswer, EndSession, Heartbeat, HeartbeatAnswer,
    LaneAnswer, Rebuild, RebuildAnswer, Route, SessionAnswer, SessionPath, StreamPath, Tick,
};

/// A JSON body with its route and its answer, for both sides: a caller cannot send it elsewhere, and reads
/// what a function cannot help answering.
///
/// An empty body stands for the default. (A chunk is no JSON, and what is told in its place,
/// [`LostChunk`](crate::LostChunk), has its route: [`Route::Chunk`]. Both are answered by
/// [`ChunkAnswer`](crate::ChunkAnswer).)
pub trait Call: Serialize + DeserializeOwned + Default {
    /// What the path names: a stream, a session or nothing.
    type Address;
    /// The body of the answer 200.
    type Answer: Serialize + DeserializeOwned;

    /// Where the body is sent to.
    fn route(address: Self::Address) -> Route;
}

impl Call for BeginSession {
    type Address = StreamPath;
    type Answer = SessionAnswer;

    fn route(stream: StreamPath) -> Route {
        Route::Sessions(stream)
    }
}

impl Call for AskAdmission {
    type Address = StreamPath;
    /// Admission is answered with 204 and no body.
    type Answer = ();

    fn route(stream: StreamPath) -> Route {
        Route::Admission(stream)
    }
}

impl Call for EndSession {
    type Address = SessionPath;
    type Answer = EndAnswer;

    fn route(session: SessionPath) -> Route {
        Route::End(session)
    }
}

impl Call for Heartbeat {
    type Address = ();
    type Answer = HeartbeatAnswer;

    fn route((): ()) -> Route {
        Route::Heartbeat
    }
}

impl Call for Compose {
    type Address = ();
    type Answer = LaneAnswer;

    fn route((): ()) -> Route {
        Route::Compose
    }
}

impl Call for Rebuild {
    type Address = ();
    type Answer = RebuildAnswer;

    fn route((): ()) -> Route {
        Route::Rebuild
    }
}

impl Call for Deliver {
    type Address = ();
    type Answer = LaneAnswer;

    fn route((): ()) -> Route {
        Route::Deliver
    }
}

impl Call for Tick {
    type Address = ();
    type Answer = LaneAnswer;

    fn route((): ()) -> Route {
        Route::Tick
    }
}
