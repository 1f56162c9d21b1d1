//! The policy of each tenant as of a view: the text is in the log, what was read from it is kept here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::View;
use storage::ids::{Lsn, TenantId};

use super::{Policy, PolicyProblems};

/// Policies that are kept read, of all tenants together; reading one again takes milliseconds.
const LOADED_MAX: usize = 256;

/// The policy in force in a tenant.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The record that set it; `Lsn::NONE` for the built-in policy of a tenant that has set none.
    pub version: Lsn,
    /// What it says.
    pub policy: Arc<Policy>,
}

/// Why there is no policy to decide by. Nothing is allowed then.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoPolicy {
    /// It was set by a program that knew more than this one.
    #[error(
        "policy version {version} cannot be used by this program, so everything is denied: {problems}; \
         an owner can replace it with `intelgraph policy set`"
    )]
    Unusable {
        /// The record that set it.
        version: Lsn,
        /// What is wrong with it here.
        problems: Arc<PolicyProblems>,
    },
    /// It could not be read.
    #[error(transparent)]
    Store(#[from] storage::Error),
}

/// Reads policies, each version once.
#[derive(Debug)]
pub struct Versions {
    built_in: Arc<Policy>,
    loaded: Mutex<HashMap<(TenantId, Lsn), Loaded>>,
}

type Loaded = Result<Arc<Policy>, Arc<PolicyProblems>>;

impl Default for Versions {
    fn default() -> Versions {
        Versions { built_in: Arc::new(Policy::built_in()), loaded: Mutex::default() }
    }
}

impl Versions {
    /// The policy of a tenant, as the view knows it.
    ///
    /// # Errors
    /// If it was set and cannot be used, or cannot be read.
    pub fn in_force(&self, view: &View, tenant: TenantId) -> Result<InForce, NoPolicy> {
        let version = view.policy(tenant)?.unwrap_or(Lsn::NONE);
        self.version(view, tenant, version)
    }

    /// A policy that is or was in force; the built-in one for `Lsn::NONE`.
    ///
    /// # Errors
    /// As for [`Versions::in_force`]; `NotFound` if that record set no policy.
    pub fn version(&self, view: &View, tenant: TenantId, version: Lsn) -> Result<InForce, NoPolicy> {
        if version == Lsn::NONE {
            return Ok(InForce { version, policy: Arc::clone(&self.built_in) });
        }
        let known = self.loaded().get(&(tenant, version)).cloned();
        let loaded = match known {
            Some(loaded) => loaded,
            None => self.load(view, tenant, version)?,
        };
        let policy = loaded.map_err(|problems| NoPolicy::Unusable { version, problems })?;
        Ok(InForce { version, policy })
    }

    /// Reads outside the lock: a large policy keeps no other tenant waiting.
    fn load(&self, view: &View, tenant: TenantId, version: Lsn) -> storage::Result<Loaded> {
        let missing = || storage::Error::NotFound { what: "policy version", name: version.to_string() };
        let set = view.policy_set(tenant, version)?.ok_or_else(missing)?;
        let loaded = Policy::load(&set.text).map(Arc::new).map_err(Arc::new);
        let mut all = self.loaded();
        if all.len() >= LOADED_MAX {
            all.clear();
        }
        all.insert((tenant, version), loaded.clone());
        Ok(loaded)
    }

    fn loaded(&self) -> MutexGuard<'_, HashMap<(TenantId, Lsn), Loaded>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
