//! `live-recorder up`: everything, in the foreground.

use std::io::Write;

use anyhow::Result;
use tokio_util::sync::CancellationToken;

use crate::log::Log;
use crate::stack::{Stack, StackConfig};

/// Runs everything until `stop` is cancelled, and says when all three addresses accept.
pub(crate) async fn run(config: StackConfig, log: &Log, stop: CancellationToken) -> Result<()> {
    let stack = Stack::start(config, log).await?;
    announce(&stack)?;
    stack.run_until(stop).await
}

fn announce(stack: &Stack) -> Result<()> {
    let Stack { functions, entrances, bucket, admin, .. } = stack;
    let mut output = std::io::stdout().lock();
    write!(output, "ready functions=http://{functions} {} bucket=http://{bucket}", entrances.join(" "))?;
    if let Some(admin) = admin {
        write!(output, " admin=http://{}", admin.address)?;
    }
    writeln!(output)?;
    Ok(output.flush()?)
}
