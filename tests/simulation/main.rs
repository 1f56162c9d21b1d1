//! The store against failing disks: everything is drawn from a seed, and a seed always gives the
//! same run.
//!
//! How much is tried, and with which seeds, is up to [`campaign`].

#![allow(unreachable_pub, reason = "some modules are those of another test")]
#![allow(
    clippy::disallowed_methods,
    reason = "how much there is to do comes from the environment, and is timed"
)]

mod campaign;
mod cuts;
mod disk;
mod faults;
mod flips;
mod followers;
#[path = "../../storage/tests/model/observe.rs"]
mod observe;
#[path = "../../storage/tests/model/orders.rs"]
mod orders;
#[path = "../../storage/tests/model/reference.rs"]
mod reference;
mod seed;
mod verdict;
mod workload;
