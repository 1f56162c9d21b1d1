//! What may be done to the store: one file for each command, with its check and its apply.
//!
//! `check` sees the tables as the commands before it in the batch left them, changes nothing, and
//! refuses with a reason or returns a plan. `apply` carries the plan out; it fails only with the disk.

mod assert;
mod changes;
mod decisions;
mod delete;
mod epoch;
mod erase;
mod events;
mod flag;
mod graph;
mod hold;
mod idempotency;
mod policy;
mod progress;
mod purge;
mod redact;
mod redact_again;
mod remember;
mod run;
mod session;
mod source;
mod subject;
mod sweep;
mod tenant;
mod token;

pub use assert::{Assert, IfEndMissing};
pub use changes::NoteChanges;
pub use decisions::CloseDecisions;
pub use delete::{Delete, Restore};
pub(crate) use delete::{thing_by_id, thing_row};
pub use epoch::BeginEpoch;
pub use erase::EraseSome;
pub(crate) use erase::is_bare;
pub(crate) use events::taken_at;
pub use events::{Event, TakeEvents, WINDOW_DAYS};
pub use flag::{SetFlag, StopFlag};
pub(crate) use flag::{flag_row, flag_rows, key as flag_key};
pub use graph::{DeleteGraph, GRAPHS_MAX, GRAPHS_OF_MAKER_MAX, SaveGraph};
pub(crate) use graph::{graph_row, key as graph_key};
pub use hold::{HOLDS_MAX, RemoveHold, SetHold};
pub(crate) use hold::{Held, holds};
pub use idempotency::{ONCE_KEPT_US, ONCE_MAX, Once, RequestKey, settled_us};
pub(crate) use idempotency::{check as check_key, in_time};
pub use policy::SetPolicy;
pub(crate) use policy::{current as current_policy, digest as policy_digest};
pub(crate) use progress::key as progress_key;
pub use progress::{PROGRESS_MAX, Progress};
pub use purge::{EndPurge, PURGED_AT_ONCE_MAX, PurgeThings, SeeClock, Sweep, is_believed, judged_us};
pub use redact::{EndRedaction, LiftRedaction, Lifted, Redact};
pub(crate) use redact::{all_erasing, erasing_row, redaction_row};
pub use redact_again::RedactAgain;
pub use remember::Remember;
pub use run::{BeginRun, EndRun, Unpend};
pub use session::{MakeLink, SEEN_EVERY_US, Seen, SignIn, SignOut};
pub use source::SetSource;
pub(crate) use source::source_id;
pub(crate) use subject::key as subject_key;
pub use subject::{DenySubject, DenyToken, MeetSubject};
pub(crate) use sweep::may_go;
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
    /// See [`NoteChanges`].
    NoteChanges(NoteChanges),
    /// See [`Remember`].
    Remember(Remember),
    /// See [`BeginEpoch`].
    BeginEpoch(BeginEpoch),
    /// See [`Redact`].
    Redact(Redact),
    /// See [`RedactAgain`].
    RedactAgain(RedactAgain),
    /// See [`EraseSome`].
    EraseSome(EraseSome),
    /// See [`EndRedaction`].
    EndRedaction(EndRedaction),
    /// See [`LiftRedaction`].
    LiftRedaction(LiftRedaction),
    /// See [`PurgeThings`].
    PurgeThings(PurgeThings),
    /// See [`Sweep`].
    Sweep(Sweep),
    /// See [`EndPurge`].
    EndPurge(EndPurge),
    /// See [`SeeClock`].
    SeeClock(SeeClock),
    /// See [`SetHold`].
    SetHold(SetHold),
    /// See [`RemoveHold`].
    RemoveHold(RemoveHold),
    /// See [`SetFlag`].
    SetFlag(SetFlag),
    /// See [`StopFlag`].
    StopFlag(StopFlag),
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
            | Command::Redact(_)
            | Command::EraseSome(_)
            | Command::EndRedaction(_)
            | Command::SetHold(_)
            | Command::RevokeToken(_)
            | Command::SignOut(_)
            | Command::DenySubject(_)
            | Command::DenyToken(_)
            | Command::EndRun(_)
            | Command::SetPolicy(_)
            | Command::DeleteGraph(_)
            | Command::StopFlag(_) => true,
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
    /// A part of it: the command is to be given again.
    More,
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
        Command::NoteChanges(NoteChanges) => changes::execute(batch),
        Command::Remember(command) => remember::execute(batch, command),
        Command::BeginEpoch(command) => epoch::execute(batch, command),
        Command::Redact(command) => redact::begin(batch, command),
        Command::RedactAgain(command) => redact_again::begin(batch, command),
        Command::EraseSome(command) => erase::some(batch, command),
        Command::EndRedaction(command) => redact::end(batch, command),
        Command::LiftRedaction(command) => redact::lift(batch, command),
        Command::PurgeThings(command) => purge::things(batch, command),
        Command::Sweep(command) => purge::sweep_log(batch, command),
        Command::EndPurge(command) => purge::end(batch, command),
        Command::SeeClock(command) => purge::see_clock(batch, command),
        Command::SetHold(command) => hold::set(batch, command),
        Command::RemoveHold(command) => hold::remove(batch, command),
        Command::SetFlag(command) => flag::set(batch, command),
        Command::StopFlag(command) => flag::stop(batch, command),
        Command::Once(command) => idempotency::once(batch, command),
    }
}
