//! The user claims of an Application Load Balancer of AWS (`x-amzn-oidc-data`).
//!
//! Its tokens are JWTs in a form of their own: the parts have padding, the issuer and the client are in the
//! header, and each key has a URL.

mod arns;
mod keys;
mod token;

pub(super) use self::arns::Balancers;
pub(super) use self::keys::{BalancerKeys, NoKey};
pub(super) use self::token::BalancerToken;
