//! Keys of HMAC-SHA-256.

use hmac::{Hmac, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The block size of SHA-256, in bytes.
pub(crate) const BLOCK: usize = 64;

/// A key of HMAC-SHA-256, padded to a block.
#[derive(PartialEq, Eq)]
pub(crate) struct HmacKey(Zeroizing<[u8; BLOCK]>);

impl HmacKey {
    /// Pads the key. One that is longer than a block is hashed before (RFC 2104 §2).
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let hash =
            (bytes.len() > BLOCK).then(|| Zeroizing::new(<[u8; 32]>::from(Sha256::digest(bytes))));
        let key = hash.as_ref().map_or(bytes, |hash| hash.as_slice());
        let mut block = Zeroizing::new([0; BLOCK]);
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Self(block)
    }

    /// Starts the HMAC of a message.
    pub(crate) fn start(&self) -> Hmac<Sha256> {
        Hmac::new((&*self.0).into())
    }
}

#[cfg(test)]
mod tests {
    use hmac::Mac;

    use super::*;

    #[test]
    fn keys_of_any_length_are_right() {
        for length in [0, 16, 63, 64, 65, 200] {
            let bytes = vec![7; length];
            let mac = Hmac::<Sha256>::new_from_slice(&bytes).expect("any length");
            let own = HmacKey::new(&bytes).start();
            assert!(
                own.chain_update(b"text").finalize() == mac.chain_update(b"text").finalize(),
                "{length}"
            );
        }
    }
}
