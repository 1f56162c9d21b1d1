//! The gateway: HTTP in, commands and readings out. Who asks is settled before anything is read.

mod auth;
mod errors;
mod graphql;
mod http;
mod limits;
pub mod operations;
mod requests;
mod routes;
mod serve;
mod tls;

pub(crate) use errors::Failure;
pub use graphql::sdl;
pub(crate) use graphql::{ADHOC_MAX, GraphQl, schema};
pub(crate) use http::events::TAKERS_MAX;
pub(crate) use http::progress::Watchers;
pub(crate) use limits::Limits;
pub use serve::{Server, bind};
pub(crate) use tls::certificate_lasts;
