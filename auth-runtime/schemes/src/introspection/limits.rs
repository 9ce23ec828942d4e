//! The bounds of requests to the endpoint, and of their responses.

/// The maximum number of concurrent requests.
pub(super) const MAX_IN_FLIGHT: usize = 256;

/// The share of one client in these, unless the client is unknown.
pub(super) const SHARE: usize = 64;

/// The maximum number of requests that wait for a place.
pub(super) const MAX_WAITING: usize = 1024;

/// The maximum size of a cached response, in bytes.
pub(super) const MAX_ANSWER: usize = 64 * 1024;
