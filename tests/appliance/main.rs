//! The node as its users have it: the real binary, driven from outside through its commands, HTTP and signals.
//!
//! Each test has a node and a directory of its own. How often it is killed, and how much else is tried, is up to [`campaign`];
//! `INTELGRAPH_TEST_WRITE=1` rewrites files that are made from code.

#![allow(clippy::print_stdout, reason = "what a test says is shown when it fails")]

mod access;
mod authority;
mod backup;
mod bombs;
#[path = "../simulation/campaign.rs"]
#[allow(dead_code, reason = "the simulation uses the rest")]
mod campaign;
mod clocks;
mod connections;
mod contract;
mod damage;
mod data;
mod disks;
mod erasure;
mod evaluate;
mod events;
mod explorer;
mod exports;
mod faults;
mod graph;
mod graphql;
mod graphs;
mod hostile;
mod http;
mod hybrid;
mod idempotency;
mod inputs;
mod judges;
mod kills;
mod lasting;
mod leaks;
mod ledger;
mod meaning;
mod models;
mod node;
mod oidc;
mod output;
mod policy;
mod progress;
mod refusals;
mod requests;
mod restores;
mod retention;
mod scarce;
#[path = "../simulation/seed.rs"]
#[allow(dead_code, reason = "the simulation uses the rest")]
mod seed;
mod session;
mod space;
mod supplied;
mod tables;
mod tls;
mod upgrades;
