//! Who performs the actions. The other files here say how, one `impl Handle` an action.

use crate::settings::Settings;

/// Performs calls whose sender is known and may make them.
pub struct Performer<'a, W> {
    /// The components, the clock.
    pub world: &'a W,
    /// What the application's variables say.
    pub settings: &'a Settings,
}

/// How often a change is tried again that others came before.
pub(super) const UPDATE_ATTEMPTS: u32 = 16;
