//! Who may do what, and who may see what.
//!
//! Everything that a policy may ask about a thing is its label. Labels are few, so a policy is never translated into
//! a filter: it is decided once on every label, and a query carries the [`Allowed`] labels as a bitmap.
//!
//! Start at [`Policy::decide`], a pure function. [`AllowedCache`] and [`TenantCache`] remember what it said.

mod action;
pub(crate) mod asked;
mod check;
mod dangers;
mod decide;
pub mod decisions;
mod entities;
mod explain;
mod grant;
mod labels;
mod limits;
mod principal;
mod rules;
mod simulate;
mod slices;
mod tenants;
pub mod token;
mod versions;
pub mod wording;

#[cfg(test)]
mod examples;

pub use action::Action;
pub use check::{PolicyProblem, PolicyProblems};
pub use dangers::{Danger, any_officers, dangers};
pub use decide::{Decision, Policy, PolicyVersion, Question, Resource};
pub use decisions::{DecisionLog, Uses};
pub use explain::{Explanation, Reason, explain};
pub use grant::{GrantRefused, TOKEN_DAYS_MAX, may_grant};
pub use labels::{ALLOWED_ENTRIES_MAX, Allowed, AllowedCache, KnownLabels};
pub use limits::{POLICIES_MAX, POLICY_BYTES_MAX, POLICY_STEPS_MAX};
pub use principal::{Attributes, Principal, PurposeRefused};
pub use rules::Rule;
pub use simulate::{Change, SIMULATED_MAX, Scenario, Simulation, TooMuch, simulate};
pub use tenants::TenantCache;
pub use token::{Minted, Parsed, TOKEN_RANDOM_BYTES, Token, TokenProblem, Use, parse, verify};
pub use versions::{InForce, NoPolicy, Versions};
