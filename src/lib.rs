//! The shell: sockets, clocks, threads and signals around the two pure rings `storage` and `index`.
//!
//! Data flow one way: `ingest | gateway` -> `policy` -> `commit` -> log -> `follow` -> `gateway`.
//! Start at [`app::App`], which holds what a running node is made of.

pub mod ingest;
pub mod policy;
