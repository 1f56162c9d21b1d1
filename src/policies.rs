//! A tenant's policy as its officers handle it: what they may set, and for whom it must go on working.

use anyhow::Context as _;
use axum::http::StatusCode;
use serde_json::json;
use storage::View;
use storage::commands::{Command, Effect, SetPolicy};
use storage::ids::{ActorId, LabelId, TenantId};
use storage::model::{Label, PolicySet, Purpose, Role, TokenSpec};
use storage::rows::TokenRow;

use crate::app::App;
use crate::gateway::Failure;
use crate::node;
use crate::oidc;
use crate::policy::decisions::{Entry, Place, Used};
use crate::policy::{
    Action, Attributes, Change, Danger, Explanation, InForce, Policy, PolicyProblem, PolicyProblems,
    Principal, Resource, Scenario, dangers, explain, simulate, wording,
};

/// Reads the text of a policy that a principal wants to set, refusing what he must not or does not know that he does.
///
/// # Errors
/// Everything that is wrong with it, and every danger that was not confirmed.
pub(crate) fn examine(
    principal: &Principal,
    view: &View,
    text: &str,
    confirmed: &[Danger],
) -> Result<Policy, Failure> {
    let policy = Policy::load(text).map_err(refused)?;
    let found = dangers(&policy, &officers(view, principal)?, confirmed);
    if found.is_empty() { Ok(policy) } else { Err(refused(PolicyProblems(found))) }
}

/// Puts the built-in policy in force again in the name of the node's machine: the way out of a policy that leaves nobody
/// who could set another. The version that it makes; `None` if it is in force already.
///
/// # Errors
/// If there is no such tenant, or the store cannot be written.
pub(crate) fn reset(app: &App, tenant: &str) -> anyhow::Result<Option<u64>> {
    let view = app.view()?;
    let id = view.tenant(tenant)?.with_context(|| format!("no tenant `{tenant}`"))?;
    let Some(replaces) = view.policy(id)? else { return Ok(None) };
    let text = Policy::built_in().text().to_owned();
    let policy = PolicySet { text, replaces: replaces.0, confirmed: vec![] };
    let set = Command::SetPolicy(SetPolicy { tenant: id, actor: ActorId::NODE, policy });
    let applied = app.commit.submit_blocking(vec![set])?.into_iter().next().context("no answer")??;
    Ok((applied.effect != Effect::Unchanged).then_some(applied.lsn.0))
}

/// What is compared with the policy in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trial {
    /// The text of the policy that may be set.
    pub(crate) text: String,
    /// For one token only.
    pub(crate) token: Option<String>,
    /// For one action only.
    pub(crate) action: Option<Action>,
}

/// What a policy would change, in words.
pub(crate) struct Outcome {
    pub(crate) gains: Vec<Told>,
    pub(crate) losses: Vec<Told>,
    /// Decisions that were compared.
    pub(crate) compared: usize,
    /// The dangers that setting it has to confirm.
    pub(crate) dangers: Vec<PolicyProblem>,
    /// What could not be read of the decision log, and so is not counted as used.
    pub(crate) damaged: Vec<String>,
}

/// A decision that would change, in words.
pub(crate) struct Told {
    pub(crate) principal: String,
    pub(crate) action: Action,
    pub(crate) label: String,
    pub(crate) label_id: Option<LabelId>,
    /// How often it was really made, as far back as the decision log goes: allowed if it is lost, denied if it is gained.
    pub(crate) used: u64,
}

/// Says what a policy would change for the tokens that there are and those whom an outside issuer let in, and how much of it was really used.
///
/// # Errors
/// If the text is no policy, nobody has such a token, or there is too much to compare.
pub(crate) fn try_out(
    app: &App,
    principal: &Principal,
    view: &View,
    trial: &Trial,
) -> Result<Outcome, Failure> {
    let new = Policy::load(&trial.text).map_err(refused)?;
    let old = app.policy(view, principal.tenant)?;
    let labels = app.labels(view, principal.tenant)?;
    app.decisions.written();
    let used = app.decisions.used(view, principal.tenant).map_err(unreadable)?;
    let tokens = simulated_tokens(view, principal.tenant, &used, trial.token.as_deref())?;
    let actions = trial.action.map_or(Action::ALL.to_vec(), |action| vec![action]);
    let scenario = Scenario {
        old: &old.policy,
        new: &new,
        tenant: principal.tenant,
        tokens: &tokens,
        labels: &labels,
        actions: &actions,
    };
    let found = simulate(&scenario).map_err(|too_much| Failure::bad_request(too_much.to_string()))?;
    let told = |changes: &[Change<'_>], allowed| {
        let mut told: Vec<_> = changes
            .iter()
            .map(|change| {
                let label_id = change.on.map(|(id, _)| *id);
                let count = |request: &Attributes| used.count(request, change.action, label_id, allowed);
                let used = change.requests.iter().map(count).sum();
                let (principal, label) = (change.principal(), change.label());
                Told { principal, action: change.action, label, label_id, used }
            })
            .collect();
        // What is really used matters most.
        told.sort_by_key(|told| std::cmp::Reverse(told.used));
        told
    };
    Ok(Outcome {
        gains: told(&found.gains, false),
        losses: told(&found.losses, true),
        compared: found.compared,
        dangers: dangers(&new, &officers(view, principal)?, &[]),
        damaged: used.damaged,
    })
}

/// Tokens, and the subjects of the outside issuer as they were last seen: what it says of them next nobody knows.
fn simulated_tokens(
    view: &View,
    tenant: TenantId,
    used: &Used,
    only: Option<&str>,
) -> Result<Vec<(String, Attributes)>, Failure> {
    let mut tokens = Vec::new();
    for (row, spec) in tokens_of(view, tenant)? {
        // A token without a purpose lets nobody in.
        if let Ok(holder) = holder(&spec, &row, tenant, None) {
            tokens.push((spec.id, holder.attributes()));
        }
    }
    for subject in view.subjects(tenant)?.into_iter().filter(|subject| subject.denied_us.is_none()) {
        let id = oidc::token_id(ActorId(subject.actor));
        tokens.extend(used.seen(&id).cloned().map(|attributes| (id, attributes)));
    }
    tokens.retain(|(id, _)| only.is_none_or(|only| only == id));
    match only {
        Some(only) if tokens.is_empty() => Err(Failure::not_found("token", only)),
        _ => Ok(tokens),
    }
}

/// What is to be explained.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// What the holder of a token may do now.
    Now {
        token: String,
        action: Action,
        on: AskedOn,
        /// The purpose that the request names; `None`: it names none.
        purpose: Option<Purpose>,
    },
    /// What was decided.
    Logged(Place),
}

/// On what.
#[derive(Clone, Debug)]
pub(crate) enum AskedOn {
    Thing(String),
    Label(LabelId),
    Tenant,
}

/// A decision, about whom and what it is, and why it fell so.
pub(crate) struct Explained {
    pub(crate) principal: String,
    pub(crate) action: Action,
    pub(crate) label: String,
    pub(crate) label_id: Option<LabelId>,
    /// The version of the policy that decided; 0 for the built-in one.
    pub(crate) version: u64,
    pub(crate) explanation: Explanation,
    /// The requests that asked, if it is one of the decision log.
    pub(crate) requests: Vec<String>,
}

/// Says why a decision falls as it does, or why it fell: one for each label that a thing has.
///
/// # Errors
/// If there is no such token, label, decision, or thing; a thing that the officer himself may not see is absent.
pub(crate) fn explanations(
    app: &App,
    principal: &Principal,
    view: &View,
    asked: &Asked,
) -> Result<Vec<Explained>, Failure> {
    match asked {
        Asked::Now { token, action, on, purpose } => {
            let in_force = app.policy(view, principal.tenant)?;
            let holder = holder_of(view, principal, token, *purpose)?;
            if action.is_read() == matches!(on, AskedOn::Tenant) {
                let message = if action.is_read() {
                    format!("`{action}` is decided on things; name a thing or a label")
                } else {
                    format!("`{action}` is decided on the tenant; name no thing and no label")
                };
                return Err(Failure::bad_request(message));
            }
            let labels = labels_asked(app, principal, view, on)?;
            Ok(labels.into_iter().map(|label| explained(&in_force, &holder, *action, label)).collect())
        }
        Asked::Logged(place) => {
            app.decisions.written();
            let entry = app.decisions.entry(view, principal.tenant, *place).map_err(unreadable)?;
            let entry = entry.ok_or_else(|| Failure::not_found("decision", &place.to_string()))?;
            logged(app, principal, view, &entry).map(|explained| vec![explained])
        }
    }
}

type Labelled = Option<(LabelId, Label)>;

fn labels_asked(
    app: &App,
    principal: &Principal,
    view: &View,
    on: &AskedOn,
) -> Result<Vec<Labelled>, Failure> {
    let labels = app.labels(view, principal.tenant)?;
    let of = |ids: &[LabelId]| labels.iter().filter(|(id, _)| ids.contains(id)).cloned().map(Some).collect();
    match on {
        AskedOn::Tenant => Ok(vec![None]),
        AskedOn::Label(id) => {
            let found: Vec<_> = of(&[*id]);
            if found.is_empty() { Err(Failure::not_found("label", &id.to_string())) } else { Ok(found) }
        }
        AskedOn::Thing(id) => {
            let seen = app.reader(view, principal)?.labels(id)?;
            let seen = seen.ok_or_else(|| Failure::not_found("entity", id))?;
            Ok(of(&seen.into_iter().collect::<Vec<_>>()))
        }
    }
}

/// By the policy that decided then, on what it knew then.
fn logged(app: &App, principal: &Principal, view: &View, entry: &Entry) -> Result<Explained, Failure> {
    let in_force = app.policies.version(view, principal.tenant, storage::ids::Lsn(entry.version))?;
    if in_force.policy.version().to_string() != entry.policy {
        let message =
            "that was decided by another version of this program, whose policy cannot be asked any more";
        return Err(Failure::new(StatusCode::CONFLICT, "decided_elsewhere", message));
    }
    let holder = Principal {
        tenant_name: principal.tenant_name.clone(),
        token_id: entry.token.clone(),
        ..entry.attributes()?.asking(principal.tenant)
    };
    let on = match entry.label() {
        Some(label) => AskedOn::Label(label),
        None => AskedOn::Tenant,
    };
    let action: Action = entry.action.parse()?;
    if action.is_read() && entry.label().is_none() {
        let message =
            "that is a search or a list, which is decided for every label; explain one of its labels";
        return Err(Failure::bad_request(message));
    }
    let label = labels_asked(app, principal, view, &on)?.pop().flatten();
    Ok(Explained { requests: entry.requests.clone(), ..explained(&in_force, &holder, action, label) })
}

fn explained(in_force: &InForce, holder: &Principal, action: Action, on: Labelled) -> Explained {
    let resource = match &on {
        Some((_, label)) => Resource::Label(holder.tenant, label),
        None => Resource::Tenant(holder.tenant),
    };
    Explained {
        principal: format!("{} (token {})", wording::attributes(&holder.attributes()), holder.token_id),
        action,
        label: on.as_ref().map_or("the tenant".to_owned(), |(_, label)| wording::label(label)),
        version: in_force.version.0,
        explanation: explain(&in_force.policy, holder, action, resource),
        label_id: on.map(|(id, _)| id),
        requests: Vec::new(),
    }
}

/// Who comes in with a token of the tenant; another tenant's is as absent as none.
fn holder_of(
    view: &View,
    principal: &Principal,
    token: &str,
    purpose: Option<Purpose>,
) -> Result<Principal, Failure> {
    let row = view.token(token)?.filter(|row| row.tenant == principal.tenant.0);
    let row = row.ok_or_else(|| Failure::not_found("token", token))?;
    let holder = holder(&TokenSpec::decode(&row.spec)?, &row, principal.tenant, purpose);
    let holder = holder.map_err(|refused| Failure::bad_request(refused.to_string()))?;
    Ok(Principal { tenant_name: principal.tenant_name.clone(), ..holder })
}

fn holder(
    spec: &TokenSpec,
    row: &TokenRow,
    tenant: TenantId,
    purpose: Option<Purpose>,
) -> Result<Principal, crate::policy::PurposeRefused> {
    Principal::of_token(spec, ActorId(row.actor), (tenant, ""), purpose)
}

/// The files of the decision log cannot be read.
pub(crate) fn unreadable(error: std::io::Error) -> Failure {
    tracing::error!(%error, "the decision log cannot be read");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "decisions_unreadable", "the decision log cannot be read")
}

/// A refusal that lists each problem for programs, too.
pub(crate) fn refused(problems: PolicyProblems) -> Failure {
    let list: Vec<_> = problems
        .0
        .iter()
        .map(|problem| json!({"policy": problem.policy, "line": problem.line, "message": problem.message}))
        .collect();
    let message = format!("the policy is refused: {problems}");
    let failure = Failure::new(StatusCode::BAD_REQUEST, "policy_refused", message);
    Failure { details: json!({"problems": list}), ..failure }
}

/// The owners of the node and the admins of the tenant, as they come with their tokens: one of them must be able to
/// set the policy again.
fn officers(view: &View, principal: &Principal) -> Result<Vec<Principal>, Failure> {
    let here = (principal.tenant, principal.tenant_name.as_str());
    let is_officer = |row: &TokenRow, spec: &TokenSpec| {
        spec.role == Role::Owner || spec.role == Role::Admin && row.tenant == principal.tenant.0
    };
    let tokens = live_tokens(view)?.into_iter().filter(|(row, spec)| is_officer(row, spec));
    // A token without a purpose lets nobody in.
    let officers =
        tokens.filter_map(|(row, spec)| Principal::of_token(&spec, ActorId(row.actor), here, None).ok());
    Ok(officers.collect())
}

/// The tokens of a tenant that let somebody in now.
pub(crate) fn tokens_of(view: &View, tenant: TenantId) -> Result<Vec<(TokenRow, TokenSpec)>, Failure> {
    let mut tokens = live_tokens(view)?;
    tokens.retain(|(row, _)| row.tenant == tenant.0);
    Ok(tokens)
}

fn live_tokens(view: &View) -> Result<Vec<(TokenRow, TokenSpec)>, Failure> {
    let now_us = node::now_us();
    let mut live = Vec::new();
    for (_, row) in view.tokens()? {
        let spec = TokenSpec::decode(&row.spec)?;
        if row.revoked_us.is_none() && now_us < spec.expires_at_us {
            live.push((row, spec));
        }
    }
    Ok(live)
}
