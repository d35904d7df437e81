//! Streams that may not be pushed.

use ::rules::forbidden::KEPT_S;
use api::{
    ApiError, Handle,
    answers::BlockList,
    calls::{DescribeLiveStreamsBlockList, ForbidLiveStream, ResumeLiveStream},
    faults,
    paging::Page,
    words::{Oneshot, Order},
};
use shared::Denial;

use super::performer::Performer;
use crate::backend::World;
use crate::bindings::recorder::catalog::catalog::StreamName;
use crate::bindings::recorder::rules::rules::{ForbiddenStream, Triple};
use crate::convert::stream;

/// How long a stream is forbidden where nobody says until when. Unit: seconds.
const FORBIDDEN_S: u64 = 180 * 86_400;

/// Stands for every application.
const ANY: &str = "*";

impl<W: World> Handle<ForbidLiveStream> for Performer<'_, W> {
    async fn handle(&self, call: ForbidLiveStream) -> Result<(), ApiError> {
        let name = stream(call.domain_name, call.app_name, call.stream_name);
        let now_ms = self.world.now_ms();
        if call.oneshot == Oneshot::Yes {
            let reason = format!("{} was disconnected by an operator", shown(&name));
            return Ok(self.world.end_pushes(name, Denial { reason, until_ms: None }, now_ms).await?);
        }
        let since = now_ms / 1_000;
        let until = call.resume_time.unwrap_or(since + FORBIDDEN_S);
        if until <= since {
            return Err(faults::INVALID_RESUME_TIME.into());
        }
        let forbidden = self.world.forbid(ForbiddenStream { triple: triple(&name), since, until }).await;
        // Also where it was forbidden before: the call that did so may have died before this.
        if let Some(found) = self.world.get_forbidden(triple(&name), since).await? {
            let denial = Denial::until(&shown(&name), found.until);
            self.world.end_pushes(name.clone(), denial, self.world.now_ms()).await?;
        }
        // Nobody is disconnected later because the work bucket takes its time.
        self.world.copy_forbidden(triple(&name)).await?;
        Ok(forbidden?)
    }
}

impl<W: World> Handle<ResumeLiveStream> for Performer<'_, W> {
    async fn handle(&self, call: ResumeLiveStream) -> Result<(), ApiError> {
        let name = stream(call.domain_name, call.app_name, call.stream_name);
        if name.app != ANY {
            return resume(self.world, triple(&name)).await;
        }
        // Also those that may be pushed already: the call that resumed them may have died before its work was done.
        let since = (self.world.now_ms() / 1_000).saturating_sub(KEPT_S);
        let forbidden = self.world.list_forbidden(&name.domain, since).await?;
        for found in forbidden.into_iter().filter(|found| found.triple.stream == name.stream) {
            resume(self.world, found.triple).await?;
        }
        Ok(())
    }
}

impl<W: World> Handle<DescribeLiveStreamsBlockList> for Performer<'_, W> {
    async fn handle(&self, call: DescribeLiveStreamsBlockList) -> Result<BlockList, ApiError> {
        let forbidden = self.world.list_forbidden(&call.domain_name, self.world.now_ms() / 1_000).await?;
        let url = |Triple { domain, app, stream }| format!("{domain}/{app}/{stream}");
        let urls = forbidden.into_iter().map(|found| url(found.triple)).collect();
        let page = Page::of(urls, call.page_num, call.page_size, Order::Ascending);
        Ok(BlockList::new(call.domain_name, page))
    }
}

/// Lets a stream be pushed, and those pushes of it go on that have not heard that they are to end.
async fn resume<W: World>(world: &W, forbidden: Triple) -> Result<(), ApiError> {
    let Triple { domain, app, stream: name } = forbidden.clone();
    world.resume(forbidden.clone()).await?;
    world.let_push(stream(domain, app, name), world.now_ms()).await?;
    Ok(world.copy_forbidden(forbidden).await?)
}

fn triple(name: &StreamName) -> Triple {
    let StreamName { domain, app, stream } = name.clone();
    Triple { domain, app, stream }
}

fn shown(name: &StreamName) -> String {
    format!("{}/{}/{}", name.domain, name.app, name.stream)
}
