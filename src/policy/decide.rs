//! The decision: a pure function of policy, principal, action and resource.

use std::fmt;

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Entities, Entity, EntityUid, PolicySet, Request, Response,
    Schema,
};
use sha2::{Digest, Sha256};
use storage::ids::TenantId;
use storage::model::Label;

use super::check::{PolicyProblems, check};
use super::entities::Names;
use super::rules::{Rule, is_about, rules};
use super::slices::{Met, Slice};
use super::{Action, Principal, limits};

const SCHEMA: &str = include_str!("schema.cedarschema");
const DEFAULT: &str = include_str!("default.cedar");

/// A validated policy: what it says can be decided on any label.
pub struct Policy {
    version: PolicyVersion,
    text: String,
    rules: Vec<Rule>,
    /// The policies that can apply to each action, by position in [`Action::ALL`]: only those are evaluated.
    slices: Vec<Slice>,
    names: Names,
    authorizer: Authorizer,
}

/// One principal's question about one action, to be asked of many labels.
pub struct Question<'a> {
    policy: &'a Policy,
    principal: &'a Principal,
    action: Action,
    /// None: the thread was almost out of stack, so nothing can be decided.
    asker: Option<Asker>,
    /// The parts of the slice that were needed so far.
    met: Met,
}

/// What stays the same from label to label.
struct Asker {
    user: EntityUid,
    action: EntityUid,
    entities: Entities,
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
        let set = check(text, &schema)?;
        Ok(Policy::of(&set, text, &schema))
    }

    fn of(set: &PolicySet, text: &str, schema: &Schema) -> Policy {
        let names = Names::of(schema);
        let slices = || Action::ALL.iter().map(|action| slice(set, &names, *action)).collect();
        Policy {
            version: version(text),
            text: text.to_owned(),
            rules: limits::with_stack_to_load(|| rules(set, text)),
            slices: limits::with_stack_to_load(slices),
            names,
            authorizer: Authorizer::new(),
        }
    }

    /// The policy of a tenant that has set none.
    #[must_use]
    pub fn built_in() -> Policy {
        Policy::load(DEFAULT).expect("the embedded policy is valid")
    }

    /// Whether `principal` may do `action` on `resource`. What cannot be decided is denied.
    #[must_use]
    pub fn decide(&self, principal: &Principal, action: Action, resource: Resource<'_>) -> Decision {
        self.question(principal, action).of(resource)
    }

    /// The question whether `principal` may do `action`, to be asked of several resources.
    #[must_use]
    pub fn question<'a>(&'a self, principal: &'a Principal, action: Action) -> Question<'a> {
        let asker = limits::with_stack_to_decide(|| Asker::of(&self.names, principal, action));
        Question { policy: self, principal, action, asker, met: Met::default() }
    }

    /// Its single policies, in the order of the text.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The ids of the policies that can apply to an action, as far as their scopes say.
    pub fn about(&self, action: Action) -> impl Iterator<Item = &str> {
        self.slices[action as usize].whole().policies().map(|policy| policy.id().as_ref())
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
}

impl Question<'_> {
    /// Whether the action may be done on `resource`. What cannot be decided is denied.
    #[must_use]
    pub fn of(&self, resource: Resource<'_>) -> Decision {
        let ask = || match resource {
            Resource::Label(tenant, label) => self.ask(Resource::Label(tenant, &self.action.sees(label))),
            Resource::Tenant(_) => self.ask(resource),
        };
        limits::with_stack_to_decide(ask).unwrap_or(Decision::UNDECIDED)
    }

    /// None if the action is not one on that kind of resource.
    fn ask(&self, resource: Resource<'_>) -> Option<Decision> {
        let (policy, asker) = (self.policy, self.asker.as_ref()?);
        if self.action.is_read() != matches!(resource, Resource::Label(..)) {
            return None;
        }
        let (asked, context) = self.asked(resource)?;
        // Not validated against the schema once more: that costs as much as deciding, and a test holds that
        // whatever is built here fits it.
        let request = Request::new(asker.user.clone(), asker.action.clone(), asked.uid(), context, None);
        let entities = asker.entities.clone().add_entities([asked], None).ok()?;
        let (slice, request) = (&policy.slices[self.action as usize], request.ok()?);
        let response = match resource {
            Resource::Label(_, label) => {
                policy.authorizer.is_authorized(&request, &slice.about(label, &self.met), &entities)
            }
            Resource::Tenant(_) => policy.authorizer.is_authorized(&request, slice.whole(), &entities),
        };
        Some(Decision::of(&response))
    }

    fn asked(&self, resource: Resource<'_>) -> Option<(Entity, Context)> {
        let names = &self.policy.names;
        match resource {
            Resource::Label(tenant, label) => {
                Some((names.label(tenant, label)?, names.reading(self.principal, label)?))
            }
            Resource::Tenant(tenant) => Some((names.tenant(tenant), Context::empty())),
        }
    }
}

impl Asker {
    fn of(names: &Names, principal: &Principal, action: Action) -> Option<Asker> {
        let (user, action) = (names.user(principal)?, names.action(action));
        Some(Asker {
            user: user.uid(),
            action: action.uid(),
            entities: Entities::from_entities([user, action], None).ok()?,
        })
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

fn slice(set: &PolicySet, names: &Names, action: Action) -> Slice {
    let uid = names.action(action).uid();
    Slice::new(set.policies().filter(|policy| is_about(policy, &uid, names.actions())).cloned().collect())
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
