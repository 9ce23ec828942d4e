//! The data that a decision point keeps for one request.

use std::any::Any;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The data that a decision point keeps for one request, from its first call to the last one.
///
/// A decision point is called for the policy, and again for each question of the handler. The data of one
/// request are never those of another.
///
/// ```
/// use auth_runtime::objects::RequestData;
///
/// /// The number of calls.
/// #[derive(Clone, Default)]
/// struct Calls(usize);
///
/// let data = RequestData::default();
/// assert_eq!(data.get::<Calls>().0, 0);
/// data.set(Calls(1));
/// assert_eq!(data.get::<Calls>().0, 1);
/// ```
#[derive(Default)]
pub struct RequestData(Mutex<Option<Box<dyn Any + Send>>>);

impl RequestData {
    /// Returns a copy of the data; the default if there are none of this type.
    pub fn get<T: Clone + Default + Send + 'static>(&self) -> T {
        let data = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let data = data.as_ref().and_then(|data| data.downcast_ref::<T>());
        data.cloned().unwrap_or_default()
    }

    /// Replaces the data.
    pub fn set<T: Send + 'static>(&self, new: T) {
        let mut data = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *data = Some(Box::new(new));
    }
}

impl fmt::Debug for RequestData {
    /// Omits the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestData").finish_non_exhaustive()
    }
}
