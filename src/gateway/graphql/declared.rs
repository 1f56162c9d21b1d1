//! What the schema declares of each field, read back from the schema's own text.
//!
//! Every field says who sees it: `@auth` names the action that policy is asked for, `@public` says that there is nothing
//! to ask, because whoever was given the object may see the field. The gateway enforces what it reads here
//! ([`super::gate`]), so that the file in `sdks/` and the program cannot say two things.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::TypeDirective;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, ObjectType, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::{Positioned, Value};

use crate::policy::Action;

/// Policy is asked for this action. An action on labels leaves out what the caller may not see; of a field that needs
/// `every` label of the tenant nothing is left if one is missing, and the field is null. Other actions are refused.
#[TypeDirective(location = "FieldDefinition")]
pub(super) fn auth(abac: String, #[graphql(default)] every: Option<bool>) {}

/// Whoever was given the object may see this: what is hidden from him is left out already.
#[TypeDirective(location = "FieldDefinition", location = "Object")]
pub(super) fn public() {}

/// A flag of the tenant turns on part of what this does; while it is off the field answers without, and says so.
#[TypeDirective(location = "FieldDefinition")]
pub(super) fn flag(name: String) {}

/// What the schema declares.
pub(in crate::gateway) struct Declared {
    types: HashMap<String, HashMap<String, Field>>,
}

/// What the schema declares of a field.
#[derive(Debug)]
pub(super) struct Field {
    /// Who sees it; `None` is a defect, and nobody does.
    pub(super) rule: Option<Rule>,
    /// The name of its type, without lists.
    pub(super) returns: String,
    /// Whether it is a list.
    pub(super) list: bool,
    /// Whether it can be null.
    pub(super) nullable: bool,
    /// Why it should not be used any more.
    pub(super) deprecated: Option<String>,
    /// The flag of the tenant that turns on part of it.
    pub(super) flag: Option<String>,
}

/// Who sees a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Who policy lets do this.
    Auth(Action),
    /// Who policy lets see every label of the tenant for this.
    Every(Action),
    /// Who was given the object.
    Public,
}

/// The declarations of the node's schema.
pub(in crate::gateway) static DECLARED: LazyLock<Declared> = LazyLock::new(|| Declared::of(&super::sdl()));

impl Declared {
    /// Reads a schema. Panics if it is none: it is a constant of the program.
    pub(super) fn of(sdl: &str) -> Declared {
        let document = parse_schema(sdl).expect("the schema is well formed");
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => object(definition.node),
            _ => None,
        });
        Declared { types: types.collect() }
    }

    /// What is declared of a field; `None` if there is no such field.
    pub(super) fn field(&self, type_name: &str, field: &str) -> Option<&Field> {
        self.types.get(type_name)?.get(field)
    }

    /// Every field, with the name of its type and its own.
    #[cfg(test)]
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str, &Field)> {
        self.types.iter().flat_map(|(name, fields)| {
            fields.iter().map(move |(field, declared)| (name.as_str(), field.as_str(), declared))
        })
    }
}

fn object(definition: TypeDefinition) -> Option<(String, HashMap<String, Field>)> {
    let TypeKind::Object(ObjectType { fields, .. }) = definition.kind else { return None };
    let of_type = rule(&definition.directives);
    let fields = fields.into_iter().map(|field| {
        let name = field.node.name.node.to_string();
        (name, Field::of(field.node, of_type))
    });
    Some((definition.name.node.to_string(), fields.collect()))
}

impl Field {
    fn of(field: FieldDefinition, of_type: Option<Rule>) -> Field {
        let (returns, list) = innermost(&field.ty.node);
        Field {
            rule: rule(&field.directives).or(of_type),
            returns: returns.to_owned(),
            list,
            nullable: field.ty.node.nullable,
            deprecated: argument(&field.directives, "deprecated", "reason").map(text),
            flag: argument(&field.directives, "flag", "name").map(text),
        }
    }
}

/// The one rule among directives; two are as good as none.
fn rule(directives: &[Positioned<ConstDirective>]) -> Option<Rule> {
    let named = |name: &str| directives.iter().filter(|directive| directive.node.name.node == name).count();
    match (named("auth"), named("public")) {
        (0, 1) => Some(Rule::Public),
        (1, 0) => {
            let action = text(argument(directives, "auth", "abac")?);
            let action = Action::ALL.iter().copied().find(|known| known.as_str() == action)?;
            let every = argument(directives, "auth", "every") == Some(&Value::Boolean(true));
            Some(if every { Rule::Every(action) } else { Rule::Auth(action) })
        }
        _ => None,
    }
}

fn argument<'d>(
    directives: &'d [Positioned<ConstDirective>],
    directive: &str,
    argument: &str,
) -> Option<&'d Value> {
    let directive = directives.iter().find(|found| found.node.name.node == directive)?;
    let (_, value) = directive.node.arguments.iter().find(|(name, _)| name.node == argument)?;
    Some(&value.node)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The name in a type such as `[Name!]!`, and whether there is a list around it.
fn innermost(whole: &Type) -> (&str, bool) {
    match &whole.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(inner) => (innermost(inner).0, true),
    }
}

#[cfg(test)]
mod tests;
