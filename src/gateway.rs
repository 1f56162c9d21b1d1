//! The gateway: HTTP in, commands and readings out. Who asks is settled before anything is read.

mod auth;
mod errors;
mod graphql;
mod http;
pub mod operations;
mod routes;
mod serve;

pub(crate) use errors::Failure;
pub use graphql::sdl;
pub(crate) use graphql::{ADHOC_MAX, GraphQl, schema};
pub use serve::{Server, bind};
