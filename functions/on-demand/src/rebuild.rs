//! A lost store is filled anew: rules and callback settings first, so that they are there when pushes begin again.

use protocol::{Rebuild, RebuildAnswer};
use shared::{Catalog, Clock, Refusal, Rules};

/// What stands before the place in the rules at which a step begins.
const RULES: &str = "rules ";

/// What stands before the place in the catalog.
const CATALOG: &str = "catalog ";

/// Makes a step.
///
/// # Errors
/// What a component refused. The same step can be made again.
pub async fn step(world: &(impl Catalog + Rules + Clock), step: Rebuild) -> Result<RebuildAnswer, Refusal> {
    let at = step.at.as_deref().unwrap_or(RULES);
    if let Some(after) = at.strip_prefix(RULES) {
        let after = Some(after.to_owned()).filter(|after| !after.is_empty());
        let restored = world.restore_rules(after, step.dry_run).await?;
        let next = restored.next.map_or_else(|| CATALOG.into(), |next| format!("{RULES}{next}"));
        return Ok(RebuildAnswer { next: Some(next), rules: restored.found, ..RebuildAnswer::default() });
    }
    let at = at.strip_prefix(CATALOG).filter(|at| !at.is_empty()).map(str::to_owned);
    let made = world.rebuild(at, step.dry_run, step.without, world.now_ms()).await?;
    Ok(RebuildAnswer {
        next: made.next.map(|next| format!("{CATALOG}{next}")),
        rules: 0,
        parts: made.parts,
        slices: made.slices,
        files: made.files,
        sessions: made.sessions,
        restored: made.restored,
        tail: made.tail,
        unlisted: made.unlisted,
    })
}
