//! Cursors: the next page of a search comes from the same state of the index as the page before, so
//! pages neither repeat nor lose a hit, whatever is written meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use index::text::{Key, Pinned};

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
    page: Ended,
}

/// A page that was given out.
pub(super) struct Ended {
    /// The state of the index.
    pub(super) pinned: Pinned,
    /// Its hits; there is one at least.
    pub(super) keys: Vec<Key>,
    /// The best score of the first page.
    pub(super) top: f32,
}

/// Where the next page begins.
pub(super) struct Resumed {
    pub(super) pinned: Pinned,
    /// The hit before.
    pub(super) key: Key,
    /// The best score of the first page.
    pub(super) top: f32,
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

impl Cursors {
    /// Where to go on by a cursor that was given out for the same question.
    pub(super) fn resume(&self, cursor: &str, of: [u8; 32]) -> Result<Resumed, Failure> {
        let kept = self.live();
        let resumed = cursor.split_once('.').and_then(|(name, number)| {
            let page = &kept.iter().find(|kept| kept.name == name && kept.of == of)?.page;
            let key = *page.keys.get(number.parse::<usize>().ok()?)?;
            Some(Resumed { pinned: page.pinned.clone(), key, top: page.top })
        });
        resumed.ok_or_else(|| {
            let message = "cursor expired or of another search; begin again without `after`";
            Failure::new(StatusCode::GONE, "CURSOR_EXPIRED", message)
        })
    }

    /// Keeps a page; the cursors to ask for what follows by.
    pub(super) fn keep(&self, token: &str, of: [u8; 32], page: Ended) -> Names {
        let name: String = node::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut kept = self.live();
        let of_token = kept.iter().filter(|kept| kept.token == token).count();
        if of_token >= PER_TOKEN_MAX
            && let Some(oldest) = kept.iter().position(|kept| kept.token == token)
        {
            kept.remove(oldest);
        }
        let names = Names { name: name.clone(), count: page.keys.len() };
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
