//! Bearer with JWTs.

mod claims;
mod serialization;
mod tokens;
mod verifier;

use crate::schemes::tokens::*;
use crate::schemes::*;
