//! Ground state: one append-only log, committed together with the tables it changes.
//!
//! Start at [`Store::write`]; everything that is ever written passes through it.

#![warn(missing_docs)]

pub mod batch;
pub mod commands;
mod engine;
pub mod error;
pub mod ids;
pub mod ledger;
pub mod model;
pub mod record;
pub mod rows;
mod store;
pub mod tables;
pub mod tx;
mod verify;
mod view;

pub use batch::Stamp;
pub use engine::EngineOptions;
pub use error::{Error, ErrorKind, Result};
pub use store::{Committed, Options, Store};
pub use verify::{Report, TenantRoot};
pub use view::{Edge, View};
