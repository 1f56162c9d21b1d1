//! Live progress: one stream for each who watches. It tells how far the tenant's log and its index are, which runs are
//! going and how far each has come, and of every run how it ended.
//!
//! Each event carries a state, no difference to the one before. Its id is the time of the last record it knows of: whoever
//! comes back with it is told of every run that ended since. Between two looks nothing of the store is held.

mod told;
mod watchers;

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use storage::View;
use storage::ids::{Lsn, RunId};
use storage::rows::RunRow;

use crate::app::Shared;
use crate::gateway::auth::Access;
use crate::gateway::errors::Failure;
use crate::gateway::requests::{Arrival, header_text};
use crate::policy::Action;
pub(crate) use watchers::Watchers;
use watchers::{Place, WATCHERS_MAX, WATCHERS_PER_PRINCIPAL_MAX};

/// Between two looks at the node.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Where nothing moves, it is looked after this whether who watches still may.
const CHECK_EVERY: Duration = Duration::from_secs(10);
/// A stream that has nothing to say says that it is there.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// Endings that are told to who comes back; of more, the newest.
const ENDINGS_MAX: usize = 1000;

/// Streams what goes on in the tenant, as far as its caller sees it.
pub(crate) async fn watch(
    State(app): State<Shared>,
    access: Access,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let since_us = last_event(&headers)?;
    let place = app.watchers.enter(access.principal.actor).ok_or_else(|| {
        app.metrics.request_refused("watchers");
        let message = format!(
            "too many streams of progress; at most {WATCHERS_PER_PRINCIPAL_MAX} for one token and {WATCHERS_MAX} in all, \
             close one"
        );
        Failure::new(StatusCode::TOO_MANY_REQUESTS, "streams_limited", message)
    })?;
    let reading = app.readers.enter(access.principal.tenant).await?.0;
    let opened = tokio::task::spawn_blocking(move || {
        let _reading = reading;
        Watching::open(app, access, arrival, place, since_us)
    });
    let watching = opened.await.map_err(|_| Failure::internal("the stream"))??;
    let events = stream::unfold(watching, async |mut watching| Some((watching.next().await?, watching)));
    let kept = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT_EVERY));
    // A proxy that gathers an answer before it passes it on passes on nothing of this one.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), "no");
    Ok(([(header::CACHE_CONTROL, "no-store"), unbuffered], kept).into_response())
}

/// The id of the event that a client saw last.
fn last_event(headers: &HeaderMap) -> Result<Option<i64>, Failure> {
    let name = HeaderName::from_static("last-event-id");
    if !headers.contains_key(&name) {
        return Ok(None);
    }
    let id = header_text(headers, &name).and_then(|text| text.parse::<i64>().ok());
    let bad =
        || Failure::bad_request("header `last-event-id`: the id of an event of this stream, or leave it out");
    id.map(Some).ok_or_else(bad)
}

/// Somebody who watches.
struct Watching {
    app: Shared,
    access: Access,
    arrival: Arrival,
    _place: Place,
    /// Whether runs may be seen, by which version of the policy.
    may: Option<(Lsn, bool)>,
    /// Runs that had not ended when they were looked at last.
    open: BTreeMap<RunId, RunRow>,
    /// Runs from here on were not looked at.
    next: RunId,
    looked: Option<(Moves, Instant)>,
    told: String,
    waiting: VecDeque<Event>,
}

/// How much has moved that a look would show.
#[derive(PartialEq, Eq)]
struct Moves {
    log: u64,
    searchable: Lsn,
    state: &'static str,
}

/// A run that has ended.
type Ended = (RunId, RunRow);

impl Watching {
    /// Whoever comes has the present state at once, and before it what ended since an event that he knows.
    fn open(
        app: Shared,
        access: Access,
        arrival: Arrival,
        place: Place,
        since_us: Option<i64>,
    ) -> Result<Watching, Failure> {
        let mut watching = Watching {
            app,
            access,
            arrival,
            _place: place,
            may: None,
            open: BTreeMap::new(),
            next: RunId(0),
            looked: None,
            told: String::new(),
            waiting: VecDeque::new(),
        };
        watching.look(since_us)?;
        Ok(watching)
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Result<Event, Infallible>> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(Ok(event));
            }
            tokio::select! {
                biased;
                () = self.arrival.activity.retired() => return None,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let moves = self.moves();
            if self.is_due(&moves) && self.look(Some(i64::MIN)).is_err() {
                return None;
            }
        }
    }

    fn moves(&self) -> Moves {
        let status = self.app.follow.status(self.access.principal.tenant);
        Moves { log: self.app.commit.tail().moves(), searchable: status.position, state: status.state }
    }

    fn is_due(&self, moves: &Moves) -> bool {
        let is_going = !self.open.is_empty();
        is_going || self.looked.as_ref().is_none_or(|(at, when)| at != moves || when.elapsed() >= CHECK_EVERY)
    }

    /// Looks at the node; what is new waits to be told. Of runs that were not looked at yet, those that ended before
    /// `since_us` are old.
    ///
    /// # Errors
    /// If who watches may no longer.
    fn look(&mut self, since_us: Option<i64>) -> Result<(), Failure> {
        let moves = self.moves();
        // While the store is being reopened there is nothing to be seen, and nobody to be asked who may see it.
        let Ok(view) = self.app.store.view() else { return Ok(()) };
        if !self.access.lasts(&view)? {
            return Err(Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", "signed out, or revoked"));
        }
        let head = view.head(self.access.principal.tenant)?;
        let sees = self.sees(&view)?;
        let ended = self.ended(&view, since_us)?;
        let ended = ended.iter().filter(|(_, row)| sees.shows(row));
        let skipped = ended.clone().count().saturating_sub(ENDINGS_MAX);
        self.waiting.extend(ended.skip(skipped).map(|(run, row)| told::ending(*run, row)));
        let going = self.open.iter().filter(|(_, row)| sees.shows(row));
        let going = going.map(|(run, row)| self.going(*run, row)).collect();
        let state =
            told::State { head: head.head(), searchable: moves.searchable, index: moves.state, going };
        let text = state.text();
        if self.told != text {
            self.waiting.push_back(told::state(head.last_time_us, &text));
            self.told = text;
        }
        self.looked = Some((moves, Instant::now()));
        Ok(())
    }

    /// Which runs may be seen: those that the list of runs shows.
    fn sees(&mut self, view: &View) -> Result<Sees, Failure> {
        let principal = &self.access.principal;
        let version = self.app.policy(view, principal.tenant)?.version;
        let known = self.may.filter(|(at, _)| *at == version).map(|(_, may)| may);
        let may = known.unwrap_or_else(|| self.app.check(principal, Action::ImportRun).is_ok());
        self.may = Some((version, may));
        let all = may && self.app.sees_everything(view, principal)?;
        Ok(Sees { may, all, actor: principal.actor.0 })
    }

    /// Those that ended since the last look, in the order in which they ended.
    fn ended(&mut self, view: &View, since_us: Option<i64>) -> Result<Vec<Ended>, Failure> {
        let tenant = self.access.principal.tenant;
        let mut ended = Vec::new();
        for run in self.open.keys().copied().collect::<Vec<_>>() {
            if let Some(row) = view.run(tenant, run)?.filter(|row| row.end.is_some()) {
                self.open.remove(&run);
                ended.push((run, row));
            }
        }
        for (run, row) in view.runs_from(tenant, self.next)? {
            self.next = RunId(run.0 + 1);
            match row.ended_us {
                None => drop(self.open.insert(run, row)),
                // The clock may stand still for a while: one that is told twice is better than one that is not.
                Some(at) if since_us.is_some_and(|since_us| at >= since_us) => ended.push((run, row)),
                Some(_) => {}
            }
        }
        ended.sort_by_key(|(run, row)| (row.ended_us, *run));
        Ok(ended)
    }

    fn going(&self, run: RunId, row: &RunRow) -> told::Going {
        let principal = &self.access.principal;
        let course = self.app.going.course(principal.tenant, run);
        let is_own = row.actor == principal.actor.0;
        let request =
            course.as_ref().and_then(|course| course.request()).filter(|_| is_own).map(str::to_owned);
        let look = course.map(|course| course.look(Instant::now()));
        told::Going::new(run, row, request, look)
    }
}

/// What of runs may be seen.
struct Sees {
    may: bool,
    all: bool,
    actor: u64,
}

impl Sees {
    fn shows(&self, row: &RunRow) -> bool {
        self.may && (self.all || row.actor == self.actor)
    }
}
