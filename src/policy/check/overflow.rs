//! Finds policies that could fail to evaluate.
//!
//! Cedar leaves out a policy that fails, and a forbid that is left out opens what it closes. After strict validation
//! only two things can still fail: arithmetic that overflows, and functions of dates and addresses. Attributes that
//! are numbers hold levels from 1 to 5, so the bounds of a sum are known before anybody asks.

use cedar_policy::Policy;
use serde_json::Value;

use crate::policy::rules::{attribute, conditions};

/// What a number can be, lowest and highest.
type Bounds = (i128, i128);

/// The numbers in the schema: clearance and classification.
const LEVELS: Bounds = (1, 5);

/// Operators that never fail on operands that have their types.
const SAFE: &[&str] = &[
    "!",
    "==",
    "!=",
    "in",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "contains",
    "containsAll",
    "containsAny",
    "isEmpty",
    ".",
    "has",
    "is",
    "if-then-else",
    "Set",
    "Record",
];

/// Why a policy could fail to evaluate, if it could.
pub(super) fn could_fail(policy: &Policy) -> Option<String> {
    let conditions = conditions(policy);
    let bodies = conditions.as_array().into_iter().flatten();
    bodies.map(|condition| walk(&condition["body"])).find_map(Result::err)
}

/// The bounds of an expression, if it is a number.
fn walk(expression: &Value) -> Result<Option<Bounds>, String> {
    let Some((operator, operands)) = expression.as_object().and_then(|fields| fields.iter().next()) else {
        return Ok(None);
    };
    match operator.as_str() {
        "Value" => Ok(operands.as_i64().map(|number| (number.into(), number.into()))),
        "Var" => Ok(None),
        // A pattern is no expression.
        "like" => walk(&operands["left"]).map(|_| None),
        "." if attribute(operands).is_some_and(|name| is_level(&name)) => Ok(Some(LEVELS)),
        "if-then-else" => {
            walk(&operands["if"])?;
            Ok(union(walk(&operands["then"])?, walk(&operands["else"])?))
        }
        "neg" => within(operator, walk(&operands["arg"])?.map(|(low, high)| (-high, -low))),
        "+" | "-" | "*" => {
            let sides = (walk(&operands["left"])?, walk(&operands["right"])?);
            within(operator, sides.0.zip(sides.1).map(|(left, right)| combine(operator, left, right)))
        }
        safe if SAFE.contains(&safe) => {
            parts(operands).try_for_each(|part| walk(part).map(drop)).map(|()| None)
        }
        other => Err(format!("`{other}` can fail; compare levels and words instead")),
    }
}

fn is_level(attribute: &str) -> bool {
    attribute == "principal.clearance" || attribute == "resource.classification"
}

/// The expressions that an operator takes; its other fields are names.
fn parts(operands: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match operands {
        Value::Object(fields) => Box::new(fields.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

fn union(one: Option<Bounds>, other: Option<Bounds>) -> Option<Bounds> {
    let (one, other) = one.zip(other)?;
    Some((one.0.min(other.0), one.1.max(other.1)))
}

fn combine(operator: &str, left: Bounds, right: Bounds) -> Bounds {
    let of = |a: i128, b: i128| match operator {
        "+" => a + b,
        "-" => a - b,
        _ => a * b,
    };
    let all = [of(left.0, right.0), of(left.0, right.1), of(left.1, right.0), of(left.1, right.1)];
    (all.into_iter().min().unwrap_or_default(), all.into_iter().max().unwrap_or_default())
}

/// The bounds, if Cedar's numbers can hold them. Each operand is within 64 bits, so nothing overflows here.
fn within(operator: &str, bounds: Option<Bounds>) -> Result<Option<Bounds>, String> {
    let holds = |number: i128| i64::try_from(number).is_ok();
    match bounds {
        Some((low, high)) if holds(low) && holds(high) => Ok(bounds),
        _ => Err(format!("`{operator}` can overflow, and a policy that fails is left out; compare directly")),
    }
}
