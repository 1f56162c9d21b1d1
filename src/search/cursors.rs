//! Cursors: the next page of a search comes from the same state of the index as the page before, so
//! pages neither repeat nor lose a hit, whatever is written meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use index::text::{Key, Pinned};

use super::plan::{Outcome, Window};
use crate::gateway::Failure;
use crate::node;

/// A cursor is good for so long.
const LIFETIME: Duration = Duration::from_secs(300);
/// Cursors of a token at a time: each keeps a state of the index from being cleaned up, and nobody's push
/// out another's.
const PER_TOKEN_MAX: usize = 32;

/// The cursors that were given out, oldest first.
#[derive(Default)]
pub struct Cursors {
    kept: Mutex<Vec<Kept>>,
}

struct Kept {
    /// What the client holds: random, so that only who was given it can have it.
    name: String,
    /// Digest of whose it is, and for which question.
    of: [u8; 32],
    token: String,
    since: Instant,
    page: Page,
}

/// A page that was given out.
pub(super) enum Page {
    /// By words alone.
    Words(Ended),
    /// By words and meaning: so many hits of the window, from one on.
    Window(Arc<Window>, Outcome, std::ops::Range<usize>),
}

/// A page by words alone.
pub(super) struct Ended {
    /// The state of the index.
    pub(super) pinned: Pinned,
    /// Its hits; there is one at least.
    pub(super) keys: Vec<Key>,
    /// The best score of the first page.
    pub(super) top: f32,
    /// How it went with looking for meaning on the first page.
    pub(super) vector: Outcome,
}

/// Where the next page begins.
pub(super) enum Resumed {
    /// By words alone, behind a hit.
    Words {
        pinned: Pinned,
        /// The hit before.
        key: Key,
        /// The best score of the first page.
        top: f32,
        vector: Outcome,
    },
    /// In the window, at a hit.
    Window(Arc<Window>, Outcome, usize),
}

/// The cursors of a page: a name for the whole, and a number for each hit.
pub(super) struct Names {
    name: String,
    count: usize,
}

impl Names {
    /// The cursor of a hit of the page.
    pub(super) fn at(&self, number: usize) -> String {
        format!("{}.{number}", self.name)
    }

    /// The cursor of the last one.
    pub(super) fn last(&self) -> String {
        self.at(self.count.saturating_sub(1))
    }
}

impl Page {
    fn len(&self) -> usize {
        match self {
            Page::Words(ended) => ended.keys.len(),
            Page::Window(_, _, hits) => hits.len(),
        }
    }

    /// Where to go on behind one of its hits.
    fn behind(&self, number: usize) -> Option<Resumed> {
        match self {
            Page::Words(Ended { pinned, keys, top, vector }) => {
                let (pinned, key) = (pinned.clone(), *keys.get(number)?);
                Some(Resumed::Words { pinned, key, top: *top, vector: *vector })
            }
            Page::Window(window, vector, hits) => {
                let next = hits.clone().nth(number)? + 1;
                Some(Resumed::Window(Arc::clone(window), *vector, next))
            }
        }
    }
}

impl Cursors {
    /// Where to go on by a cursor that was given out for the same question.
    pub(super) fn resume(&self, cursor: &str, of: [u8; 32]) -> Result<Resumed, Failure> {
        let kept = self.live();
        let resumed = cursor.split_once('.').and_then(|(name, number)| {
            let page = &kept.iter().find(|kept| kept.name == name && kept.of == of)?.page;
            page.behind(number.parse().ok()?)
        });
        resumed.ok_or_else(|| {
            let message = "cursor expired or of another search; begin again without `after`";
            Failure::new(StatusCode::GONE, "CURSOR_EXPIRED", message)
        })
    }

    /// Keeps a page; the cursors to ask for what follows by.
    pub(super) fn keep(&self, token: &str, of: [u8; 32], page: Page) -> Names {
        let name: String = node::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut kept = self.live();
        let of_token = kept.iter().filter(|kept| kept.token == token).count();
        if of_token >= PER_TOKEN_MAX
            && let Some(oldest) = kept.iter().position(|kept| kept.token == token)
        {
            kept.remove(oldest);
        }
        let names = Names { name: name.clone(), count: page.len() };
        kept.push(Kept { name, of, token: token.to_owned(), since: Instant::now(), page });
        names
    }

    /// Ends them all: each keeps a state of an index, with words in it that have to go.
    pub(crate) fn end_all(&self) {
        self.live().clear();
    }

    fn live(&self) -> MutexGuard<'_, Vec<Kept>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.since.elapsed() < LIFETIME);
        kept
    }
}
