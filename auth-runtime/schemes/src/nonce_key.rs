//! Stateless nonces: a timestamp and its HMAC.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use auth_runtime_core::Clock;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::hmac_key::HmacKey;
use crate::steady_clock::SteadyClock;

/// Creates nonces and verifies its own. Services with the same key accept each other's nonces.
pub(crate) struct NonceKey {
    key: HmacKey,
    /// The purpose of the nonces. A nonce for one purpose is invalid for another.
    purpose: &'static [u8],
    lifetime: Duration,
    clock: SteadyClock,
    made: AtomicU64,
}

/// The result of verifying a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// The nonce has this age, and is valid. By the clock of its creator, it may be [`MAX_AHEAD`] older.
    Fresh(Duration),
    /// The nonce has expired.
    Stale,
    /// The nonce was not created with this key and purpose.
    Foreign,
}

/// The longest time by which the clock of another instance may be ahead. A nonce is valid, and its uses are stored,
/// for this much longer than its lifetime.
pub(crate) const MAX_AHEAD: Duration = Duration::from_secs(5);

const TIME: usize = 8;
const SIGNATURE: usize = 16;
/// The nanoseconds that stamps are counted within, about a microsecond. Many clocks have no finer steps.
const STEP: u64 = 1 << 10;

impl NonceKey {
    pub(crate) fn new(
        key: &[u8; 32],
        purpose: &'static [u8],
        lifetime: Duration,
        clock: Clock,
    ) -> Self {
        Self {
            key: HmacKey::new(key),
            purpose,
            lifetime,
            clock: SteadyClock::new(clock),
            made: AtomicU64::new(0),
        }
    }

    /// Creates a nonce from the current time, in nanoseconds. No two are equal: the lowest bits are a
    /// count, and the others are of the step before, so that no nonce is from the future.
    pub(crate) fn make(&self) -> String {
        let count = self.made.fetch_add(1, Ordering::Relaxed) % STEP;
        let step = (self.nanos_since_1970() / STEP).saturating_sub(1);
        self.at(step * STEP + count)
    }

    fn at(&self, time: u64) -> String {
        let time = time.to_be_bytes();
        let mut stamp = [0; TIME + SIGNATURE];
        let signature = self.signature(&time).finalize().into_bytes();
        for (to, from) in stamp.iter_mut().zip(time.iter().chain(&signature)) {
            *to = *from;
        }
        URL_SAFE_NO_PAD.encode(stamp)
    }

    pub(crate) fn verify(&self, stamp: &str) -> Stamp {
        let mut bytes = [0; TIME + SIGNATURE];
        let length = URL_SAFE_NO_PAD.decode_slice(stamp, &mut bytes);
        let (Ok(length), Some((time, signature))) = (length, bytes.split_first_chunk()) else {
            return Stamp::Foreign;
        };
        let is_ours = self
            .signature(time)
            .verify_truncated_left(signature)
            .is_ok();
        if length != bytes.len() || !is_ours {
            return Stamp::Foreign;
        }
        let made = u64::from_be_bytes(*time);
        let [made, now] = [made, self.nanos_since_1970()].map(Duration::from_nanos);
        let age = now.saturating_sub(made);
        // A nonce from a later time was created before the clock was set back.
        if age <= self.lifetime && made <= now + MAX_AHEAD {
            Stamp::Fresh(age)
        } else {
            Stamp::Stale
        }
    }

    fn signature(&self, time: &[u8; TIME]) -> Hmac<Sha256> {
        self.key
            .start()
            .chain_update(self.purpose)
            .chain_update(time)
    }

    fn nanos_since_1970(&self) -> u64 {
        u64::try_from(self.clock.since_1970().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::UNIX_EPOCH;

    use auth_runtime_core::ManualClock;

    use super::*;

    #[test]
    fn nonces_of_one_moment_differ() {
        let lifetime = Duration::from_secs(60);
        // The begin of a step.
        let time = ManualClock::new(UNIX_EPOCH + Duration::from_nanos(STEP * 1_000_000_000));
        let key = NonceKey::new(&[7; 32], b"test", lifetime, time.clock());
        let nonces: HashSet<String> = (0..STEP).map(|_| key.make()).collect();
        assert_eq!(nonces.len(), 1024);
        for nonce in &nonces {
            let stamp = key.verify(nonce);
            assert!(
                matches!(stamp, Stamp::Fresh(age) if !age.is_zero() && age <= Duration::from_nanos(STEP)),
                "{stamp:?}"
            );
        }
    }

    #[test]
    fn late_clocks_keep_the_lifetime() {
        let (lifetime, start) = (
            Duration::from_secs(60),
            UNIX_EPOCH + Duration::from_secs(1000),
        );
        let [here, there] = [start, start + MAX_AHEAD].map(ManualClock::new);
        let [own, other] =
            [&here, &there].map(|time| NonceKey::new(&[7; 32], b"test", lifetime, time.clock()));
        let nonce = other.make();
        let verified_after = |seconds: u64| {
            here.advance(Duration::from_secs(seconds));
            own.verify(&nonce)
        };
        assert_eq!(verified_after(0), Stamp::Fresh(Duration::ZERO));
        assert!(matches!(verified_after(64), Stamp::Fresh(age) if age.as_secs() == 59));
        assert_eq!(verified_after(1), Stamp::Stale);
        there.advance(Duration::from_secs(65) + Duration::from_millis(1));
        assert_eq!(own.verify(&other.make()), Stamp::Stale);
    }
}
