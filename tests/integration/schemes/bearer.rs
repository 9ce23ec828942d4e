//! Bearer with JWTs.

mod tokens;
mod verifier;

use crate::schemes::tokens::*;
use crate::schemes::*;
