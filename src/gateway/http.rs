//! What is not GraphQL: bodies that stream, and the paths that machines poll.

pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod ledger;
pub(crate) mod page;
pub(crate) mod preview;
pub(crate) mod session;
