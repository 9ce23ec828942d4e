//! The routes of one protection space within a protected router.

use std::sync::Arc;
use std::time::Duration;

use auth_runtime_core::adapter::Space;

use crate::routing::router::GuardedRouter;
use crate::routing::step::Step;

/// The routes of one protection space.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) router: GuardedRouter,
    pub(super) space: Arc<Space>,
    /// The interval of the times of concealed responses, if they are concealed as well.
    pub(super) interval: Option<Duration>,
    /// The steps around the metadata document. Those of the routes are in `router`.
    pub(super) steps: Vec<Step>,
}
