//! Cursors: the next page of a search comes from the same state of the index as the page before, so
//! pages neither repeat nor lose a hit, whatever is written meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use index::text::{Key, Pinned};
use sha2::{Digest, Sha256};
use storage::ids::TenantId;

use super::{Question, pin};
use crate::app::App;
use crate::gateway::Failure;
use crate::node;
use crate::policy::Principal;

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
    /// Whose it is, and for which question.
    of: [u8; 32],
    tenant: TenantId,
    since: Instant,
    pinned: Pinned,
    key: Key,
    top: f32,
}

impl Cursors {
    /// The state of the index to search: that of the page before, or the present one. With it where to
    /// go on, and the best score of the first page.
    pub(super) fn resume(
        &self,
        app: &App,
        principal: &Principal,
        question: &Question,
    ) -> Result<(Pinned, Option<Key>, Option<f32>), Failure> {
        let Some(name) = &question.after else { return Ok((pin(app, principal)?, None, None)) };
        let kept = self.live();
        let page = kept.iter().find(|page| page.name == *name && page.of == digest(principal, question));
        let page = page.ok_or_else(|| {
            let message = "cursor expired or of another search; begin again without `after`";
            Failure::new(StatusCode::GONE, "CURSOR_EXPIRED", message)
        })?;
        Ok((page.pinned.clone(), Some(page.key), Some(page.top)))
    }

    /// Keeps where a page ended; the name to ask for the next one by.
    pub(super) fn keep(
        &self,
        principal: &Principal,
        question: &Question,
        pinned: &Pinned,
        key: Key,
        top: f32,
    ) -> String {
        let name: String = node::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut kept = self.live();
        let of_tenant = kept.iter().filter(|page| page.tenant == principal.tenant).count();
        if of_tenant >= PER_TENANT_MAX
            && let Some(oldest) = kept.iter().position(|page| page.tenant == principal.tenant)
        {
            kept.remove(oldest);
        }
        kept.push(Kept {
            name: name.clone(),
            of: digest(principal, question),
            tenant: principal.tenant,
            since: Instant::now(),
            pinned: pinned.clone(),
            key,
            top,
        });
        name
    }

    fn live(&self) -> MutexGuard<'_, Vec<Kept>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|page| page.since.elapsed() < LIFETIME);
        kept
    }
}

/// Who asks what, but for the page.
fn digest(principal: &Principal, question: &Question) -> [u8; 32] {
    let whole = Question { after: None, limit: 0, at_least: None, ..question.clone() };
    let purposes = principal.purposes_in_use.bits();
    Sha256::digest(format!("{}\n{}\n{purposes}\n{whole:?}", principal.tenant, principal.token_id)).into()
}
