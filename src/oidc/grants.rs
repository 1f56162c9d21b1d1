//! From claims to rights. The configuration says what a claim is worth; a claim by itself is worth nothing.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};
use storage::model::{Classification, Purpose, Purposes, Role};

use super::settings::{Grant, Oidc};

/// What everybody gets, and what some get beyond that.
#[derive(Clone, Debug)]
pub(super) struct Grants {
    everybody: Rights,
    some: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    claim: String,
    value: String,
    tenant: Option<String>,
    role: Option<Role>,
    clearance: Option<Classification>,
    purposes: Purposes,
    scopes: Vec<String>,
}

/// What the bearer of a token may do here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The name of the tenant; `None`: there is none for them.
    pub tenant: Option<String>,
    /// What they are.
    pub role: Role,
    /// The most that they may see.
    pub clearance: Classification,
    /// What they may use data for.
    pub purposes: Purposes,
    /// Rights beyond the role.
    pub scopes: Vec<String>,
}

impl Grants {
    /// # Errors
    /// If a role, a clearance or a purpose is none, or a grant gives nothing.
    pub(super) fn of(settings: &Oidc) -> Result<Grants> {
        let purposes = purposes(&settings.purposes).context("oidc.purposes")?;
        ensure!(!purposes.is_empty(), "oidc.purposes is empty; a request is made for one purpose at least");
        let (role, clearance) = (Role::Reader, Classification::Public);
        let everybody =
            Rights { tenant: settings.tenant.clone(), role, clearance, purposes, scopes: Vec::new() };
        let some = settings.grants.iter().map(|grant| {
            Rule::of(grant)
                .with_context(|| format!("oidc.grants, of `{}` for `{}`", grant.value, grant.claim))
        });
        Ok(Grants { everybody, some: some.collect::<Result<_>>()? })
    }

    pub(super) fn rights(&self, claims: &Map<String, Value>) -> Rights {
        let fitting: Vec<&Rule> = self.some.iter().filter(|rule| rule.fits(claims)).collect();
        let mut rights = self.everybody.clone();
        if let Some(tenant) = fitting.iter().find_map(|rule| rule.tenant.as_ref()) {
            rights.tenant = Some(tenant.clone());
        }
        if let Some(role) = fitting.iter().find_map(|rule| rule.role) {
            rights.role = role;
        }
        for rule in fitting {
            rights.clearance = rights.clearance.max(rule.clearance.unwrap_or(Classification::Public));
            rights.purposes = rights.purposes.iter().chain(rule.purposes.iter()).collect();
            rights.scopes.extend(rule.scopes.iter().cloned());
        }
        rights
    }
}

impl Rule {
    fn of(grant: &Grant) -> Result<Rule> {
        let named = [&grant.tenant, &grant.role, &grant.clearance];
        let gives = named.iter().any(|given| given.is_some())
            || !(grant.purposes.is_empty() && grant.scopes.is_empty());
        ensure!(gives, "gives nothing; name a tenant, role, clearance, purposes or scopes");
        Ok(Rule {
            claim: grant.claim.clone(),
            value: grant.value.clone(),
            tenant: grant.tenant.clone(),
            role: grant.role.as_deref().map(str::parse).transpose()?,
            clearance: grant.clearance.as_deref().map(str::parse).transpose()?,
            purposes: purposes(&grant.purposes)?,
            scopes: grant.scopes.clone(),
        })
    }

    fn fits(&self, claims: &Map<String, Value>) -> bool {
        match found(claims, &self.claim) {
            Some(Value::String(text)) => {
                // The one claim that is a list in a string (RFC 8693).
                *text == self.value || (self.claim == "scope" && text.split(' ').any(|one| one == self.value))
            }
            Some(Value::Array(values)) => values.iter().any(|value| value.as_str() == Some(&self.value)),
            Some(Value::Bool(value)) => value.to_string() == self.value,
            _ => false,
        }
    }
}

/// A claim by its name, which may have dots in it, or else by the way to it.
fn found<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let mut parts = name.split('.');
    let first = claims.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

fn purposes(names: &[String]) -> Result<Purposes> {
    names.iter().map(|name| Ok(name.parse::<Purpose>()?)).collect()
}
