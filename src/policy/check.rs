//! From the text of a policy to policies that can be decided, or to everything that is wrong with it.

use std::fmt;

use cedar_policy::{EntityUid, ParseErrors, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;

use super::limits;

mod overflow;

/// Everything that is wrong with the text of a policy, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyProblems(pub Vec<PolicyProblem>);

/// One thing that is wrong with the text of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyProblem {
    /// The line, from 1.
    pub line: usize,
    /// The id of the policy, if the text could be read that far.
    pub policy: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// Parses, names and validates; a text with a problem gives no policies at all.
pub(super) fn check(text: &str, schema: &Schema) -> Result<PolicySet, PolicyProblems> {
    match limits::exceeded(text) {
        Some(problem) => Err(PolicyProblems(vec![problem])),
        None => limits::with_stack_to_load(|| check_within_limits(text, schema)),
    }
}

fn check_within_limits(text: &str, schema: &Schema) -> Result<PolicySet, PolicyProblems> {
    let parsed = text.parse::<PolicySet>().map_err(|errors| syntax(&errors, text))?;
    let mut problems = templates(&parsed, text);
    let named = name(&parsed, text, &mut problems);
    problems.extend(named.policies().filter_map(|policy| identity(policy, text)));
    problems.extend(validation(&named, schema, text));
    if problems.is_empty() {
        problems.extend(named.policies().filter_map(|policy| failing(policy, text)));
    }
    if problems.is_empty() {
        return Ok(named);
    }
    problems.sort();
    Err(PolicyProblems(problems))
}

fn syntax(errors: &ParseErrors, text: &str) -> PolicyProblems {
    let problem = |error: &dyn Diagnostic| PolicyProblem {
        line: line_of(error, text).unwrap_or(1),
        policy: None,
        message: prose(error),
    };
    let mut problems: Vec<_> = errors.iter().map(|error| problem(error)).collect();
    problems.sort();
    PolicyProblems(problems)
}

/// A template never applies by itself: whoever wrote one believes that something is forbidden which is not.
fn templates(set: &PolicySet, text: &str) -> Vec<PolicyProblem> {
    set.templates()
        .map(|template| PolicyProblem {
            line: line_of_source(&template.to_cedar(), text),
            policy: template.annotation("id").map(str::to_owned),
            message: "a template never applies; write `principal` or `resource` in place of its slot"
                .to_owned(),
        })
        .collect()
}

/// Gives each policy its `@id` as its name; one without keeps its number (`policy0` is the first).
fn name(set: &PolicySet, text: &str, problems: &mut Vec<PolicyProblem>) -> PolicySet {
    let mut named = PolicySet::new();
    for policy in set.policies() {
        let id = policy.annotation("id").map_or_else(|| policy.id().clone(), PolicyId::new);
        if named.add(policy.new_id(id.clone())).is_err() {
            problems.push(PolicyProblem {
                line: policy.to_cedar().map_or(1, |source| line_of_source(&source, text)),
                policy: Some(id.to_string()),
                message: format!("the id `{id}` is taken by an earlier policy; choose another"),
            });
        }
    }
    named
}

/// Answers are remembered by attributes, so a policy cannot single out one user or one thing.
fn identity(policy: &Policy, text: &str) -> Option<PolicyProblem> {
    let names_one = |uid: &EntityUid| matches!(uid.type_name().basename(), "User" | "Label");
    let uid = policy.entity_literals().into_iter().find(names_one)?;
    Some(PolicyProblem {
        line: policy.to_cedar().map_or(1, |source| line_of_source(&source, text)),
        policy: Some(policy.id().to_string()),
        message: format!("`{uid}` names one of many; ask for a role, a scope or a compartment"),
    })
}

/// A valid policy that could still fail when it is evaluated.
fn failing(policy: &Policy, text: &str) -> Option<PolicyProblem> {
    Some(PolicyProblem {
        line: policy.to_cedar().map_or(1, |source| line_of_source(&source, text)),
        policy: Some(policy.id().to_string()),
        message: overflow::could_fail(policy)?,
    })
}

fn validation(set: &PolicySet, schema: &Schema, text: &str) -> Vec<PolicyProblem> {
    let result = Validator::new(schema.clone()).validate(set, ValidationMode::Strict);
    let errors: Vec<_> =
        result.validation_errors().map(|error| invalid(error.policy_id(), error, text)).collect();
    // A warning is a policy that can never apply, or letters that look like others: refused as well. Most errors
    // cause one too, so they are told only when there is nothing else.
    let warnings = result.validation_warnings().map(|warning| invalid(warning.policy_id(), warning, text));
    if errors.is_empty() { warnings.collect() } else { errors }
}

fn invalid(id: &PolicyId, found: &dyn Diagnostic, text: &str) -> PolicyProblem {
    let message = prose(found);
    let known = format!("for policy `{id}`, ");
    PolicyProblem {
        line: line_of(found, text).unwrap_or(1),
        policy: Some(id.to_string()),
        message: message.strip_prefix(&known).unwrap_or(&message).to_owned(),
    }
}

/// The message with its hint.
fn prose(found: &dyn Diagnostic) -> String {
    match found.help() {
        Some(help) => format!("{found}; {help}"),
        None => found.to_string(),
    }
}

fn line_of(found: &dyn Diagnostic, text: &str) -> Option<usize> {
    let offset = found.labels()?.next()?.offset();
    Some(line_at(offset, text))
}

pub(super) fn line_of_source(source: &str, text: &str) -> usize {
    // From the end: of two equal policies the second is the one too many.
    text.rfind(source).map_or(1, |offset| line_at(offset, text))
}

fn line_at(offset: usize, text: &str) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.policy {
            Some(policy) => write!(f, "line {}, policy `{policy}`: {}", self.line, self.message),
            None => write!(f, "line {}: {}", self.line, self.message),
        }
    }
}

impl fmt::Display for PolicyProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for PolicyProblems {}

#[cfg(test)]
mod tests;
