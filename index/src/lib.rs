//! Derived state: what follows the log, and may be deleted at any time.
//!
//! Start at [`follower::drive`]: every index is filled through it, from views of the store.

#![warn(missing_docs)]

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod embed;
mod error;
pub mod follower;
mod present;
pub mod text;
pub mod vector;

pub use error::{Error, ErrorKind, Result};
