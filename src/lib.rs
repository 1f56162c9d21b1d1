//! The shell: sockets, clocks, threads and signals around the two pure rings `storage` and `index`.
//!
//! Data flow one way: `ingest | gateway` -> `policy` -> `commit` -> log -> `follow` -> `gateway`.
//! Start at [`app::App`], which holds what a running node is made of.

pub mod admin;
pub mod app;
pub mod backup;
pub mod cli;
pub mod commit;
pub mod config;
pub mod doctor;
pub mod embedding;
pub mod erasure;
pub mod evaluate;
pub mod export;
pub mod follow;
pub mod gateway;
pub mod graphs;
mod growth;
pub mod idempotency;
pub mod ingest;
pub mod log;
pub mod metrics;
pub mod node;
pub mod oidc;
mod policies;
pub mod policy;
pub mod read;
mod readers;
pub mod running;
mod scrub;
mod sealed;
pub mod search;
pub mod sessions;
pub mod tokens;
