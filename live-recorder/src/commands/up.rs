//! `live-recorder up`: everything, in the foreground.

use std::io::Write;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::stack::{Stack, StackConfig};

/// Runs everything until `stop` is cancelled, and says when all three addresses accept.
pub(crate) async fn run(config: StackConfig, stop: CancellationToken) -> Result<()> {
    let stack = Stack::start(config).await?;
    announce(&stack)?;
    stack.run_until(stop).await
}

fn announce(stack: &Stack) -> Result<()> {
    let Stack { functions, rtmp, bucket, .. } = stack;
    let mut output = std::io::stdout().lock();
    writeln!(output, "ready functions=http://{functions} rtmp=rtmp://{rtmp} bucket=http://{bucket}")?;
    Ok(output.flush()?)
}
