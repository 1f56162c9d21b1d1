//! The decision: a pure function of policy, principal, action and resource.

use std::fmt;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Entities, Entity, PolicySet, Request, Response, Schema,
};
use sha2::{Digest, Sha256};
use storage::ids::TenantId;
use storage::model::Label;

use super::check::{PolicyProblems, check};
use super::entities::Names;
use super::{Action, Principal, limits};

const SCHEMA: &str = include_str!("schema.cedarschema");
const DEFAULT: &str = include_str!("default.cedar");

/// A validated policy: what it says can be decided on any label.
pub struct Policy {
    version: PolicyVersion,
    text: String,
    set: PolicySet,
    schema: Schema,
    names: Names,
    authorizer: Authorizer,
}

/// What is acted on.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// Things with this label in this tenant, for actions that read.
    Label(TenantId, &'a Label),
    /// The tenant itself, for actions that change something.
    Tenant(TenantId),
}

/// What a policy says, and which of its parts said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the action may be done.
    pub allowed: bool,
    /// The ids that decided, sorted: permits if allowed, forbids if denied. Empty: nothing permits it.
    pub policies: Vec<String>,
}

/// Which policy it is: SHA-256 of schema and text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PolicyVersion(pub [u8; 32]);

impl Policy {
    /// Reads a policy, refusing what could not be decided on labels.
    ///
    /// # Errors
    /// Everything that is wrong with the text, each with its line and policy.
    pub fn load(text: &str) -> Result<Policy, PolicyProblems> {
        let schema = schema();
        Ok(Policy {
            version: version(text),
            text: text.to_owned(),
            set: check(text, &schema)?,
            names: Names::of(&schema),
            schema,
            authorizer: Authorizer::new(),
        })
    }

    /// The policy of a tenant that has set none.
    #[must_use]
    pub fn built_in() -> Policy {
        Policy::load(DEFAULT).expect("the embedded policy is valid")
    }

    /// Whether `principal` may do `action` on `resource`. What cannot be decided is denied.
    #[must_use]
    pub fn decide(&self, principal: &Principal, action: Action, resource: Resource<'_>) -> Decision {
        limits::with_stack_to_decide(|| self.ask(principal, action, resource)).unwrap_or(Decision::UNDECIDED)
    }

    /// Which policy it is.
    #[must_use]
    pub fn version(&self) -> PolicyVersion {
        self.version
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// None if the action is not one on that kind of resource.
    fn ask(&self, principal: &Principal, action: Action, resource: Resource<'_>) -> Option<Decision> {
        let context = self.context(principal, resource)?;
        let principal = self.names.user(principal)?;
        let action = self.names.action(action);
        let resource = self.resource(resource)?;
        let request =
            Request::new(principal.uid(), action.uid(), resource.uid(), context, Some(&self.schema));
        let entities = Entities::from_entities([principal, action, resource], None).ok()?;
        let response = self.authorizer.is_authorized(&request.ok()?, &self.set, &entities);
        Some(Decision::of(&response))
    }

    fn context(&self, principal: &Principal, resource: Resource<'_>) -> Option<Context> {
        match resource {
            Resource::Label(_, label) => self.names.reading(principal, label),
            Resource::Tenant(_) => Some(Context::empty()),
        }
    }

    fn resource(&self, resource: Resource<'_>) -> Option<Entity> {
        match resource {
            Resource::Label(tenant, label) => self.names.label(tenant, label),
            Resource::Tenant(tenant) => Some(self.names.tenant(tenant)),
        }
    }
}

impl Decision {
    const UNDECIDED: Decision = Decision { allowed: false, policies: Vec::new() };

    fn of(response: &Response) -> Decision {
        let diagnostics = response.diagnostics();
        let failed: Vec<_> = diagnostics
            .errors()
            .map(|AuthorizationError::PolicyEvaluationError(error)| error.policy_id())
            .collect();
        // Cedar leaves out a policy that fails to evaluate. If that was a forbid, going on would open what it closes.
        if !failed.is_empty() {
            return Decision::new(false, failed);
        }
        let allowed = response.decision() == cedar_policy::Decision::Allow;
        Decision::new(allowed, diagnostics.reason())
    }

    fn new(allowed: bool, policies: impl IntoIterator<Item: ToString>) -> Decision {
        let mut policies: Vec<_> = policies.into_iter().map(|id| id.to_string()).collect();
        policies.sort();
        Decision { allowed, policies }
    }
}

fn schema() -> Schema {
    let (schema, _warnings) = Schema::from_cedarschema_str(SCHEMA).expect("the embedded schema is valid");
    schema
}

fn version(text: &str) -> PolicyVersion {
    let digest = Sha256::new().chain_update(Sha256::digest(SCHEMA)).chain_update(text);
    PolicyVersion(digest.finalize().into())
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Policy").field(&self.version).finish()
    }
}

impl fmt::Debug for PolicyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for PolicyVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests;
