//! What the stream says, and how.

use axum::response::sse::Event;
use serde::Serialize;
use storage::ids::{Lsn, RunId};
use storage::rows::RunRow;

use crate::gateway::graphql::state_name;
use crate::ingest::import::Look;
use crate::node::rfc3339;

/// How the tenant is.
pub(super) struct State {
    /// Its last record.
    pub(super) head: Lsn,
    /// Everything up to this one can be found.
    pub(super) searchable: Lsn,
    /// How the index is.
    pub(super) index: &'static str,
    pub(super) going: Vec<Going>,
}

#[derive(Serialize)]
struct StateDocument<'s> {
    lsn: u64,
    followers: [Follower; 1],
    runs: &'s [Going],
}

#[derive(Serialize)]
struct Follower {
    name: &'static str,
    state: &'static str,
    lsn: u64,
}

/// A run that is going. What only its own memory knows is null for one whose end could not be recorded yet.
#[derive(Serialize)]
pub(super) struct Going {
    run: String,
    process: String,
    source: String,
    began: String,
    /// The request that it came by, for who sent it.
    request: Option<String>,
    #[serde(flatten)]
    course: Option<CourseDocument>,
}

#[derive(Serialize)]
struct CourseDocument {
    phase: &'static str,
    file: String,
    file_number: usize,
    bytes_read: u64,
    bytes: Option<u64>,
    #[serde(flatten)]
    counts: Counts,
    seconds: f64,
    bytes_per_second: u64,
    objects_per_second: u64,
    seconds_left: Option<u64>,
}

#[derive(Serialize)]
struct Counts {
    read: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    rejected: u64,
    entities: u64,
    relations: u64,
}

#[derive(Serialize)]
struct EndedDocument {
    run: String,
    process: String,
    source: String,
    state: &'static str,
    began: String,
    ended: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

impl State {
    pub(super) fn text(&self) -> String {
        let follower = Follower { name: "text", state: self.index, lsn: self.searchable.0 };
        text(&StateDocument { lsn: self.head.0, followers: [follower], runs: &self.going })
    }
}

impl Going {
    pub(super) fn new(run: RunId, row: &RunRow, request: Option<String>, look: Option<Look>) -> Going {
        Going {
            run: run.to_string(),
            process: row.begin.process.clone(),
            source: row.begin.source.clone(),
            began: rfc3339(row.began_us),
            request,
            course: look.map(CourseDocument::of),
        }
    }
}

impl CourseDocument {
    fn of(look: Look) -> CourseDocument {
        CourseDocument {
            phase: look.phase.as_str(),
            file_number: look.files,
            bytes_read: look.bytes_read,
            bytes: look.bytes,
            counts: look.counts.into(),
            seconds: (look.took.as_secs_f64() * 10.0).round() / 10.0,
            bytes_per_second: look.bytes_per_second as u64,
            objects_per_second: look.objects_per_second as u64,
            seconds_left: look.left().map(|left| left.as_secs_f64().ceil() as u64),
            file: look.file,
        }
    }
}

impl From<storage::model::RunCounts> for Counts {
    fn from(counts: storage::model::RunCounts) -> Counts {
        let storage::model::RunCounts { read, created, updated, unchanged, rejected, entities, relations } =
            counts;
        Counts { read, created, updated, unchanged, rejected, entities, relations }
    }
}

/// The event of a state, as it was at the time of the last record.
pub(super) fn state(last_time_us: i64, text: &str) -> Event {
    Event::default().event("progress").id(last_time_us.to_string()).data(text)
}

/// The event of a run's end.
pub(super) fn ending(run: RunId, row: &RunRow) -> Event {
    let end = row.end.clone().unwrap_or_default();
    let document = EndedDocument {
        run: run.to_string(),
        process: row.begin.process.clone(),
        source: row.begin.source.clone(),
        state: state_name(end.state()),
        began: rfc3339(row.began_us),
        ended: row.ended_us.map(rfc3339),
        counts: end.counts.into(),
    };
    Event::default().event("ended").id(row.ended_us.unwrap_or_default().to_string()).data(text(&document))
}

fn text(document: &impl Serialize) -> String {
    serde_json::to_string(document).expect("a document of strings and numbers")
}
