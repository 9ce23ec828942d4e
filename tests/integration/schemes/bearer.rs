//! Bearer with JWTs.

mod serialization;
mod tokens;
mod verifier;

use crate::schemes::tokens::*;
use crate::schemes::*;
