//! What may be done to the store: one file for each command, with its check and its apply.
//!
//! `check` sees the tables as the commands before it in the batch left them, changes nothing, and
//! refuses with a reason or returns a plan. `apply` carries the plan out; it fails only with the disk.

mod assert;
mod decisions;
mod delete;
mod events;
mod graph;
mod idempotency;
mod policy;
mod progress;
mod run;
mod session;
mod source;
mod subject;
mod tenant;
mod token;

pub use assert::{Assert, IfEndMissing};
pub use decisions::CloseDecisions;
pub use delete::{Delete, Restore};
pub(crate) use delete::{thing_by_id, thing_row};
pub(crate) use events::taken_at;
pub use events::{Event, TakeEvents, WINDOW_DAYS};
pub use graph::{DeleteGraph, GRAPHS_MAX, GRAPHS_OF_MAKER_MAX, SaveGraph};
pub(crate) use graph::{graph_row, key as graph_key};
pub use idempotency::{ONCE_KEPT_US, ONCE_MAX, Once, RequestKey};
pub(crate) use idempotency::{check as check_key, in_time};
pub use policy::SetPolicy;
pub(crate) use policy::{current as current_policy, digest as policy_digest};
pub(crate) use progress::key as progress_key;
pub use progress::{PROGRESS_MAX, Progress};
pub use run::{BeginRun, EndRun, Unpend};
pub use session::{MakeLink, SEEN_EVERY_US, Seen, SignIn, SignOut};
pub use source::SetSource;
pub(crate) use source::source_id;
pub(crate) use subject::key as subject_key;
pub use subject::{DenySubject, DenyToken, MeetSubject};
pub use tenant::CreateTenant;
pub use token::{CreateToken, RevokeToken};

use crate::batch::Batch;
use crate::error::Result;
use crate::ids::{Lsn, RunId, SourceId, TenantId};

/// Something to be done to the store.
#[derive(Clone, Debug)]
pub enum Command {
    /// See [`CreateTenant`].
    CreateTenant(CreateTenant),
    /// See [`SetSource`].
    SetSource(SetSource),
    /// See [`Assert`].
    Assert(Box<Assert>),
    /// See [`Delete`].
    Delete(Delete),
    /// See [`Restore`].
    Restore(Restore),
    /// See [`CreateToken`].
    CreateToken(CreateToken),
    /// See [`RevokeToken`].
    RevokeToken(RevokeToken),
    /// See [`MakeLink`].
    MakeLink(MakeLink),
    /// See [`SignIn`].
    SignIn(SignIn),
    /// See [`SignOut`].
    SignOut(SignOut),
    /// See [`Seen`].
    Seen(Seen),
    /// See [`MeetSubject`].
    MeetSubject(MeetSubject),
    /// See [`DenySubject`].
    DenySubject(DenySubject),
    /// See [`DenyToken`].
    DenyToken(DenyToken),
    /// See [`BeginRun`].
    BeginRun(BeginRun),
    /// See [`EndRun`].
    EndRun(EndRun),
    /// See [`Unpend`].
    Unpend(Unpend),
    /// See [`Progress`].
    Progress(Progress),
    /// See [`TakeEvents`].
    TakeEvents(TakeEvents),
    /// See [`SetPolicy`].
    SetPolicy(SetPolicy),
    /// See [`CloseDecisions`].
    CloseDecisions(CloseDecisions),
    /// See [`SaveGraph`].
    SaveGraph(SaveGraph),
    /// See [`DeleteGraph`].
    DeleteGraph(DeleteGraph),
    /// See [`Once`].
    Once(Once),
}

impl Command {
    /// Whether it takes a right or a thing away, or ends what was begun: what an operator must be able to do on a
    /// disk that is full.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        match self {
            Command::Delete(_)
            | Command::RevokeToken(_)
            | Command::SignOut(_)
            | Command::DenySubject(_)
            | Command::DenyToken(_)
            | Command::EndRun(_)
            | Command::SetPolicy(_)
            | Command::DeleteGraph(_) => true,
            Command::Once(once) => once.command.is_urgent(),
            _ => false,
        }
    }
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The last record it wrote, or the tenant's head if it wrote none: what a reader waits for.
    pub lsn: Lsn,
    /// What changed.
    pub effect: Effect,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A thing that was not there.
    Created,
    /// Something new was said of a thing.
    Updated,
    /// Nothing: it was said before, or the source has said something newer.
    Unchanged,
    /// Kept aside until its ends come.
    Pending,
    /// A tenant was made.
    Tenant(TenantId),
    /// A source was declared.
    Source(SourceId),
    /// A run began.
    Run(RunId),
    /// Events were taken in, and others had been before.
    Events {
        /// How many were new.
        accepted: u32,
        /// How many were not.
        duplicates: u32,
    },
    /// Anything else.
    Done,
}

/// Checks and applies one command.
pub(crate) fn execute(batch: &mut Batch<'_>, command: &Command) -> Result<Applied> {
    match command {
        Command::CreateTenant(command) => tenant::execute(batch, command),
        Command::SetSource(command) => source::execute(batch, command),
        Command::Assert(command) => assert::execute(batch, command),
        Command::Delete(command) => delete::delete(batch, command),
        Command::Restore(command) => delete::restore(batch, command),
        Command::CreateToken(command) => token::create(batch, command),
        Command::RevokeToken(command) => token::revoke(batch, command),
        Command::MakeLink(command) => session::make_link(batch, command),
        Command::SignIn(command) => session::sign_in(batch, command),
        Command::SignOut(command) => session::sign_out(batch, command),
        Command::Seen(command) => session::seen(batch, command),
        Command::MeetSubject(command) => subject::meet(batch, command),
        Command::DenySubject(command) => subject::deny(batch, command),
        Command::DenyToken(command) => subject::deny_token(batch, command),
        Command::BeginRun(command) => run::begin(batch, command),
        Command::EndRun(command) => run::end(batch, command),
        Command::Unpend(command) => run::unpend(batch, command),
        Command::Progress(command) => progress::execute(batch, command),
        Command::TakeEvents(command) => events::execute(batch, command),
        Command::SetPolicy(command) => policy::execute(batch, command),
        Command::CloseDecisions(command) => decisions::execute(batch, command),
        Command::SaveGraph(command) => graph::save(batch, command),
        Command::DeleteGraph(command) => graph::delete(batch, command),
        Command::Once(command) => idempotency::once(batch, command),
    }
}
