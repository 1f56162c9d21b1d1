//! Ground state: one append-only log, committed together with the tables it changes.
//!
//! Start at [`Store::write`]; everything that is ever written passes through it.

#![warn(missing_docs)]

pub mod error;
pub mod ids;
pub mod model;

pub use error::{Error, ErrorKind, Result};
