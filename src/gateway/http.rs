//! What is not GraphQL: bodies that stream, the paths that machines poll, and the app in the browser.

pub(crate) mod backup;
mod body;
pub(crate) mod events;
pub(crate) mod explorer;
pub(crate) mod export;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod ledger;
pub(crate) mod models;
pub(crate) mod preview;
pub(crate) mod progress;
pub(crate) mod scrub;
pub(crate) mod session;
pub(crate) mod tuning;
pub(crate) mod vectors;
