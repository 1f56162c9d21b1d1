//! What a running node is made of, and the few ways in which its parts work together.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use storage::anchor::Anchor;
use storage::commands::{Applied, Command};
use storage::ids::{LabelId, TenantId};
use storage::model::{Classification, Flag, Label, Role};
use storage::{Store, View};
use tokio::sync::Semaphore;

use crate::backup::Backups;
use crate::commit;
use crate::config::Config;
use crate::embedding::Embedding;
use crate::erasure::Clock;
use crate::follow::{Follow, Vectors};
use crate::gateway::{ADHOC_MAX, Failure, GraphQl, Limits, TAKERS_MAX, Watchers, schema};
use crate::ingest::import::{GivenUp, Going};
use crate::metrics::Metrics;
use crate::oidc::Issuer;
use crate::policy::{
    Action, Allowed, AllowedCache, DecisionLog, InForce, KnownLabels, NoPolicy, Principal, Resource,
    TenantCache, Uses, Versions, asked,
};
use crate::read::Reader;
use crate::readers::Readers;
use crate::scrub::Scrub;
use crate::search::reason::Reason;
use crate::search::stage::{Meaning, Stages};
use crate::search::{Cursors, meaning};
use crate::sessions::Sessions;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Exports at a time: each holds a thread and a view for as long as it is taken.
pub(crate) const EXPORTERS_MAX: usize = 8;
/// Rounds of judged queries at a time: each keeps a processor busy.
pub(crate) const TUNERS_MAX: usize = 2;

/// The node, shared by everything that serves a request.
pub type Shared = Arc<App>;

/// The labels of a tenant that were read so far, in order.
pub(crate) type Labels = Arc<Vec<(LabelId, Label)>>;

/// What decides in one view of a tenant: its policy, and its labels.
struct Basis {
    in_force: InForce,
    labels: Labels,
}

/// A running node.
pub struct App {
    /// Its settings.
    pub config: Config,
    /// Its ground state.
    pub store: Arc<Store>,
    /// The way to the store.
    pub commit: commit::Handle,
    /// Its indexes.
    pub follow: Follow,
    /// What makes vectors of texts.
    pub embedding: Embedding,
    /// Its vector indexes, where there is a model.
    pub vectors: Vectors,
    /// The key of its ledgers, and the last checkpoints.
    pub anchor: Arc<Anchor>,
    /// What is asked of it, counted.
    pub metrics: Metrics,
    /// Places for readings.
    pub(crate) readers: Readers,
    /// How much one may ask for.
    pub(crate) limits: Limits,
    /// Places for imports: each holds a thread for as long as its body takes to come.
    pub(crate) importers: Arc<Semaphore>,
    /// Places for exports.
    pub(crate) exporters: Arc<Semaphore>,
    /// Places for rounds of judged queries.
    pub(crate) tuners: Arc<Semaphore>,
    /// The place for a backup.
    pub(crate) backups: Backups,
    /// The scrub that runs, and the last one.
    pub(crate) scrub: Scrub,
    /// Places for requests with events: each holds its body.
    pub(crate) takers: Arc<Semaphore>,
    /// Places for documents that clients bring: each holds a thread with a large stack.
    pub(crate) adhoc: Arc<Semaphore>,
    /// What the node derives from it nobody else can: what a repeated request must be given again.
    pub(crate) replay_secret: [u8; 32],
    /// The schema of its API.
    pub(crate) graphql: GraphQl,
    /// Pages of searches in progress.
    pub(crate) cursors: Cursors,
    /// Places for vector stages.
    pub(crate) stages: Stages,
    /// Imports whose end is not recorded yet.
    pub(crate) given_up: GivenUp,
    /// Imports that are going.
    pub(crate) going: Going,
    /// Places for who watches.
    pub(crate) watchers: Arc<Watchers>,
    /// Who came in with a browser.
    pub(crate) sessions: Sessions,
    /// The outside issuer, if there is one.
    pub(crate) issuer: Option<Issuer>,
    /// The policies of the tenants.
    pub(crate) policies: Versions,
    /// What was decided.
    pub(crate) decisions: Arc<DecisionLog>,
    /// The clock, as far as it is believed.
    pub(crate) clock: Clock,
    /// Held by whoever erases: one at a time.
    pub(crate) erasing: Mutex<()>,
    allowed: AllowedCache,
    on_tenants: TenantCache,
    labels: Mutex<HashMap<TenantId, Labels>>,
}

/// What runs already when a node is made of it.
pub struct Parts {
    /// Its settings.
    pub config: Config,
    /// Its ground state.
    pub store: Arc<Store>,
    /// The way to the store.
    pub commit: commit::Handle,
    /// Its indexes.
    pub follow: Follow,
    /// What makes vectors of texts.
    pub embedding: Embedding,
    /// Its vector indexes, where there is a model.
    pub vectors: Vectors,
    /// The key of its ledgers, and the last checkpoints.
    pub anchor: Arc<Anchor>,
    /// Who came in with a browser.
    pub sessions: Sessions,
    /// What the node derives from it nobody else can.
    pub replay_secret: [u8; 32],
    /// An outside issuer, if there is one.
    pub issuer: Option<Issuer>,
}

impl App {
    /// A node of parts that run already.
    #[must_use]
    pub fn new(parts: Parts) -> App {
        let Parts {
            config,
            store,
            commit,
            follow,
            embedding,
            vectors,
            anchor,
            sessions,
            replay_secret,
            issuer,
        } = parts;
        // A store that cannot be read says so to whoever asks it; until then no clock was believed.
        let clock_us = store.view().and_then(|view| view.node()).map_or(0, |node| node.clock_us);
        let decisions = Arc::new(DecisionLog::new(config.data_dir.join("decisions")));
        App {
            limits: Limits::new(&config),
            importers: Arc::new(Semaphore::new(config.memory().importers)),
            config,
            store,
            commit,
            follow,
            embedding,
            vectors,
            anchor,
            metrics: Metrics::default(),
            readers: Readers::default(),
            takers: Arc::new(Semaphore::new(TAKERS_MAX)),
            exporters: Arc::new(Semaphore::new(EXPORTERS_MAX)),
            tuners: Arc::new(Semaphore::new(TUNERS_MAX)),
            backups: Backups::default(),
            scrub: Scrub::default(),
            adhoc: Arc::new(Semaphore::new(ADHOC_MAX)),
            replay_secret,
            graphql: schema(),
            cursors: Cursors::default(),
            stages: Stages::default(),
            given_up: GivenUp::default(),
            going: Going::default(),
            watchers: Arc::default(),
            sessions,
            issuer,
            policies: Versions::default(),
            decisions,
            clock: Clock::new(clock_us),
            erasing: Mutex::default(),
            allowed: AllowedCache::default(),
            on_tenants: TenantCache::default(),
            labels: Mutex::default(),
        }
    }

    /// The labels that a principal may see, for an action that reads.
    ///
    /// # Errors
    /// If there is no policy to decide by; as for reading the view.
    pub fn allowed(
        &self,
        view: &View,
        principal: &Principal,
        action: Action,
    ) -> Result<Arc<Allowed>, Failure> {
        Ok(self.allowed_by(&self.basis(view, principal.tenant)?, principal, action))
    }

    /// The policy of a tenant, as the view knows it.
    ///
    /// # Errors
    /// If it was set by a newer program and cannot be used; as for reading the view.
    pub fn policy(&self, view: &View, tenant: TenantId) -> Result<InForce, Failure> {
        Ok(self.policies.in_force(view, tenant)?)
    }

    /// A view of the principal's tenant through what it may see.
    ///
    /// # Errors
    /// If there is no policy to decide by; as for reading the view.
    pub fn reader<'v>(&self, view: &'v View, principal: &Principal) -> Result<Reader<'v>, Failure> {
        let basis = self.basis(view, principal.tenant)?;
        let entities = self.allowed_by(&basis, principal, Action::EntityRead);
        let relations = self.allowed_by(&basis, principal, Action::RelationRead);
        let uses = Uses::new(Arc::clone(&self.decisions), principal, &basis.in_force);
        Ok(Reader::new(view, principal.tenant, entities, relations, uses))
    }

    fn basis(&self, view: &View, tenant: TenantId) -> Result<Basis, Failure> {
        Ok(Basis { in_force: self.policy(view, tenant)?, labels: self.known_labels(view, tenant)? })
    }

    fn allowed_by(&self, basis: &Basis, principal: &Principal, action: Action) -> Arc<Allowed> {
        asked::note(action);
        let known = KnownLabels { tenant: principal.tenant, version: 0, labels: &basis.labels };
        self.allowed.allowed(&basis.in_force.policy, principal, action, known)
    }

    /// Where a request notes what it was shown, if it has no reader that does.
    ///
    /// # Errors
    /// If there is no policy to decide by; as for reading the view.
    pub(crate) fn uses(&self, view: &View, principal: &Principal) -> Result<Uses, Failure> {
        Ok(Uses::new(Arc::clone(&self.decisions), principal, &self.policy(view, principal.tenant)?))
    }

    /// Refuses an action on the tenant that the principal may not do.
    pub(crate) fn check(&self, principal: &Principal, action: Action) -> Result<(), Failure> {
        let in_force = match self.policies.in_force(&self.store.view()?, principal.tenant) {
            Ok(in_force) => in_force,
            Err(NoPolicy::Unusable { .. }) if may_replace_the_unusable(principal, action) => return Ok(()),
            Err(none) => return Err(none.into()),
        };
        let decision = self.on_tenants.decide(&in_force.policy, principal, action);
        let allowed = decision.allowed;
        self.decisions.note(principal, &in_force, action, decision);
        if allowed { Ok(()) } else { Err(Failure::denied(action.as_str())) }
    }

    /// What the principal may do on the tenant and, of what reads, on what is open to everybody or on anything that is
    /// there: what a client offers him.
    ///
    /// # Errors
    /// As for reading the view.
    pub(crate) fn may(&self, principal: &Principal) -> Result<Vec<Action>, Failure> {
        let view = self.store.view()?;
        let Ok(in_force) = self.policies.in_force(&view, principal.tenant) else {
            let ways_out = Action::ALL.iter().filter(|action| may_replace_the_unusable(principal, **action));
            return Ok(ways_out.copied().collect());
        };
        let open = Label::open(principal.purposes);
        let mut may = Vec::new();
        for action in Action::ALL.iter().copied() {
            let resource = match action.is_read() {
                true => Resource::Label(principal.tenant, &open),
                false => Resource::Tenant(principal.tenant),
            };
            let is_of_use = || Ok::<_, Failure>(!self.allowed(&view, principal, action)?.labels().is_empty());
            if in_force.policy.decide(principal, action, resource).allowed || action.is_read() && is_of_use()?
            {
                may.push(action);
            }
        }
        Ok(may)
    }

    /// Every label of a tenant, in the order in which they appeared.
    ///
    /// # Errors
    /// As for reading the view.
    pub(crate) fn labels(&self, view: &View, tenant: TenantId) -> storage::Result<Labels> {
        self.known_labels(view, tenant)
    }

    /// How often the labels that somebody may see were known already, and how often not.
    pub(crate) fn policy_cache(&self) -> (u64, u64) {
        self.allowed.asked()
    }

    /// How many labels the view knows of a tenant.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn labels_known(&self, view: &View, tenant: TenantId) -> storage::Result<usize> {
        Ok(self.known_labels(view, tenant)?.len())
    }

    /// Whether every label of the tenant may be read.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn sees_everything(&self, view: &View, principal: &Principal) -> Result<bool, Failure> {
        Ok(self.sees_every(view, principal, Action::EntityRead)?
            && self.sees_every(view, principal, Action::RelationRead)?)
    }

    /// Whether an action that reads is allowed on every label of the tenant.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn sees_every(&self, view: &View, principal: &Principal, action: Action) -> Result<bool, Failure> {
        let known = self.known_labels(view, principal.tenant)?.len();
        Ok(self.allowed(view, principal, action)?.all(known))
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
    pub fn visible_sources(&self, view: &View, principal: &Principal) -> Result<BTreeSet<String>, Failure> {
        let allowed = self.allowed(view, principal, Action::EntityRead)?;
        let labels = self.known_labels(view, principal.tenant)?;
        Ok(labels
            .iter()
            .filter(|(id, _)| allowed.contains(*id))
            .map(|(_, label)| label.source.clone())
            .collect())
    }

    /// Whether a tenant's searches may look for meaning: it is in the pilot, and nobody has stopped it for the node.
    ///
    /// # Errors
    /// As for reading the view.
    pub fn vector_preview(&self, view: &View, tenant: TenantId) -> storage::Result<bool> {
        let set = view.flag(tenant, Flag::VectorPreview)?;
        Ok(set.is_some_and(|row| row.value == "on") && !view.is_stopped(Flag::VectorPreview)?)
    }

    /// What looks for meaning in what a tenant holds.
    ///
    /// # Errors
    /// Why nothing does.
    pub(crate) fn meaning(&self, tenant: TenantId) -> Result<Arc<dyn Meaning>, Reason> {
        meaning::of_tenant(&self.embedding, &self.vectors, tenant)
    }

    /// The last commit, without what is over by now.
    ///
    /// # Errors
    /// As for [`Store::view`].
    pub fn view(&self) -> storage::Result<View> {
        Ok(self.store.view()?.at(self.clock.believed_us()))
    }

    /// Writes one command from a thread of its own, durably.
    pub(crate) fn write_blocking(&self, command: Command) -> storage::Result<Applied> {
        let answer = self.commit.submit_blocking(vec![command])?.pop();
        answer.expect("one answer for one command")
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

/// A policy that this program cannot read denies everything but the way out of it, which is an owner's.
fn may_replace_the_unusable(principal: &Principal, action: Action) -> bool {
    action == Action::PolicyManage && principal.role == Role::Owner
}
