//! Cursors: the next page of a search comes from the same state of the index as the page before, so
//! pages neither repeat nor lose a hit, whatever is written meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use index::text::{Key, Pinned};
use storage::ids::TenantId;

use crate::gateway::Failure;
use crate::node;

/// A cursor is good for so long.
const LIFETIME: Duration = Duration::from_secs(300);
/// Cursors of a tenant at a time: each keeps a state of the index from being cleaned up.
const PER_TENANT_MAX: usize = 64;

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
    tenant: TenantId,
    since: Instant,
    page: Page,
}

/// Where a page ended.
#[derive(Clone)]
pub(super) struct Page {
    /// The state of the index.
    pub(super) pinned: Pinned,
    /// The last hit.
    pub(super) key: Key,
    /// The best score of the first page.
    pub(super) top: f32,
}

impl Cursors {
    /// Where to go on by a cursor that was given out for the same question.
    pub(super) fn resume(&self, name: &str, of: [u8; 32]) -> Result<Page, Failure> {
        let kept = self.live();
        let kept = kept.iter().find(|kept| kept.name == name && kept.of == of);
        kept.map(|kept| kept.page.clone()).ok_or_else(|| {
            let message = "cursor expired or of another search; begin again without `after`";
            Failure::new(StatusCode::GONE, "CURSOR_EXPIRED", message)
        })
    }

    /// Keeps where a page ended; the name to ask for the next one by.
    pub(super) fn keep(&self, tenant: TenantId, of: [u8; 32], page: Page) -> String {
        let name: String = node::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut kept = self.live();
        let of_tenant = kept.iter().filter(|kept| kept.tenant == tenant).count();
        if of_tenant >= PER_TENANT_MAX
            && let Some(oldest) = kept.iter().position(|kept| kept.tenant == tenant)
        {
            kept.remove(oldest);
        }
        kept.push(Kept { name: name.clone(), of, tenant, since: Instant::now(), page });
        name
    }

    fn live(&self) -> MutexGuard<'_, Vec<Kept>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.since.elapsed() < LIFETIME);
        kept
    }
}
