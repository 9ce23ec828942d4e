//! Unpredictable values.

/// Returns `N` random bytes. `None` if the system provides none.
pub(crate) fn bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Some(bytes),
        Err(error) => {
            tracing::error!("the system has no random bytes: {error}");
            None
        }
    }
}
