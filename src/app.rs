//! What a running node is made of, and the few ways in which its parts work together.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use storage::anchor::Anchor;
use storage::commands::{Applied, Command};
use storage::ids::{LabelId, TenantId};
use storage::model::{Classification, Label};
use storage::{Store, View};
use tokio::sync::Semaphore;

use crate::commit;
use crate::config::Config;
use crate::follow::Follow;
use crate::gateway::{Attempts, Failure, GraphQl, schema};
use crate::ingest::import::GivenUp;
use crate::metrics::Metrics;
use crate::oidc::Issuer;
use crate::policy::{Action, Allowed, AllowedCache, KnownLabels, Policy, Principal, Resource};
use crate::read::Reader;
use crate::search::Cursors;
use crate::sessions::Sessions;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Readings at a time: each holds a thread and a view.
const READERS_MAX: usize = 64;
/// Imports at a time; one more is told to come back.
pub(crate) const IMPORTERS_MAX: usize = 16;

/// The node, shared by everything that serves a request.
pub type Shared = Arc<App>;

/// The labels of a tenant that were read so far, in order.
type Labels = Arc<Vec<(LabelId, Label)>>;

/// A running node.
pub struct App {
    /// Its settings.
    pub config: Config,
    /// Its ground state.
    pub store: Arc<Store>,
    /// The way in to the single writer.
    pub commit: commit::Handle,
    /// Its indexes.
    pub follow: Follow,
    /// The key of its ledgers, and the last checkpoints.
    pub anchor: Arc<Anchor>,
    /// What is asked of it, counted.
    pub metrics: Metrics,
    /// Places for readings.
    pub(crate) readers: Arc<Semaphore>,
    /// Places for imports: each holds a thread for as long as its body takes to come.
    pub(crate) importers: Arc<Semaphore>,
    /// The schema of its API.
    pub(crate) graphql: GraphQl,
    /// Pages of searches in progress.
    pub(crate) cursors: Cursors,
    /// Imports whose end is not recorded yet.
    pub(crate) given_up: GivenUp,
    /// Who came in with a browser.
    pub(crate) sessions: Sessions,
    /// The outside issuer, if there is one.
    pub(crate) issuer: Option<Issuer>,
    /// Who failed to.
    pub(crate) attempts: Attempts,
    policy: Policy,
    allowed: AllowedCache,
    labels: Mutex<HashMap<TenantId, Labels>>,
}

impl App {
    /// A node of parts that run already.
    #[must_use]
    pub fn new(
        config: Config,
        store: Arc<Store>,
        commit: commit::Handle,
        follow: Follow,
        anchor: Arc<Anchor>,
        sessions: Sessions,
        issuer: Option<Issuer>,
    ) -> App {
        App {
            config,
            store,
            commit,
            follow,
            anchor,
            metrics: Metrics::default(),
            readers: Arc::new(Semaphore::new(READERS_MAX)),
            importers: Arc::new(Semaphore::new(IMPORTERS_MAX)),
            graphql: schema(),
            cursors: Cursors::default(),
            given_up: GivenUp::default(),
            sessions,
            issuer,
            attempts: Attempts::default(),
            policy: Policy::built_in(),
            allowed: AllowedCache::default(),
            labels: Mutex::default(),
        }
    }

    /// The labels that a principal may see, for an action that reads.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn allowed(
        &self,
        view: &View,
        principal: &Principal,
        action: Action,
    ) -> storage::Result<Arc<Allowed>> {
        let labels = self.known_labels(view, principal.tenant)?;
        let known = KnownLabels { tenant: principal.tenant, version: 0, labels: &labels };
        Ok(self.allowed.allowed(&self.policy, principal, action, known))
    }

    /// A view of the principal's tenant through what it may see.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn reader<'v>(&self, view: &'v View, principal: &Principal) -> storage::Result<Reader<'v>> {
        let entities = self.allowed(view, principal, Action::EntityRead)?;
        let relations = self.allowed(view, principal, Action::RelationRead)?;
        Ok(Reader::new(view, principal.tenant, entities, relations))
    }

    /// Refuses an action on the tenant that the principal may not do.
    pub(crate) fn check(&self, principal: &Principal, action: Action) -> Result<(), Failure> {
        let decision = self.policy.decide(principal, action, Resource::Tenant(principal.tenant));
        if decision.allowed { Ok(()) } else { Err(Failure::denied(action.as_str())) }
    }

    /// How many labels the view knows of a tenant.
    pub(crate) fn labels_known(&self, view: &View, tenant: TenantId) -> storage::Result<usize> {
        Ok(self.known_labels(view, tenant)?.len())
    }

    /// Whether every label of the tenant may be read.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn sees_everything(&self, view: &View, principal: &Principal) -> storage::Result<bool> {
        let known = self.known_labels(view, principal.tenant)?.len();
        let entities = self.allowed(view, principal, Action::EntityRead)?;
        let relations = self.allowed(view, principal, Action::RelationRead)?;
        Ok(entities.all(known) && relations.all(known))
    }

    /// The highest classification of what a source has said.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn source_ceiling(
        &self,
        view: &View,
        tenant: TenantId,
        source: &str,
    ) -> storage::Result<Option<Classification>> {
        let labels = self.known_labels(view, tenant)?;
        Ok(labels
            .iter()
            .filter(|(_, label)| label.source == source)
            .map(|(_, label)| label.classification)
            .max())
    }

    /// The names of the sources of which something may be read.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn visible_sources(&self, view: &View, principal: &Principal) -> storage::Result<BTreeSet<String>> {
        let allowed = self.allowed(view, principal, Action::EntityRead)?;
        let labels = self.known_labels(view, principal.tenant)?;
        Ok(labels
            .iter()
            .filter(|(id, _)| allowed.contains(*id))
            .map(|(_, label)| label.source.clone())
            .collect())
    }

    /// Writes one command, durably.
    pub(crate) async fn write_one(&self, command: Command) -> Result<Applied, Failure> {
        let mut answers = self.commit.submit(vec![command]).await?;
        Ok(answers.pop().expect("one answer for one command")?)
    }

    /// The tenant's labels: those read before, and those that appeared since.
    fn known_labels(&self, view: &View, tenant: TenantId) -> storage::Result<Labels> {
        let known = self
            .labels
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&tenant)
            .cloned()
            .unwrap_or_default();
        let from = known.last().map_or(LabelId(0), |(last, _)| LabelId(last.0 + 1));
        let new = view.labels(tenant, from)?;
        if new.is_empty() {
            return Ok(known);
        }
        let all: Arc<Vec<_>> = Arc::new(known.iter().cloned().chain(new).collect());
        let mut labels = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = labels.entry(tenant).or_default();
        if kept.len() < all.len() {
            *kept = Arc::clone(&all);
        }
        Ok(all)
    }
}
