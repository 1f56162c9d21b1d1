//! Principals and labels as Cedar sees them. Built natively: going through JSON cost more than deciding.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema,
};
use storage::ids::TenantId;
use storage::model::{Label, Purpose, Purposes};

use super::{Action, Principal};

/// The names of the schema, parsed once.
pub(super) struct Names {
    user: EntityTypeName,
    label: EntityTypeName,
    tenant: EntityTypeName,
    role: EntityTypeName,
    purpose: EntityTypeName,
    licence: EntityTypeName,
    retention: EntityTypeName,
    kind: EntityTypeName,
    /// By position in [`Action::ALL`]; each knows its group.
    actions: Vec<Entity>,
    /// The same with their groups.
    declared: Entities,
}

impl Names {
    pub(super) fn of(schema: &Schema) -> Names {
        let declared = schema.action_entities().expect("the embedded schema's actions form no cycle");
        Names {
            user: type_name("User"),
            label: type_name("Label"),
            tenant: type_name("Tenant"),
            role: type_name("Role"),
            purpose: type_name("Purpose"),
            licence: type_name("Licence"),
            retention: type_name("Retention"),
            kind: type_name("Kind"),
            actions: actions(&declared),
            declared,
        }
    }

    pub(super) fn action(&self, action: Action) -> Entity {
        self.actions[action as usize].clone()
    }

    /// Every action and group of actions.
    pub(super) fn actions(&self) -> &Entities {
        &self.declared
    }

    pub(super) fn user(&self, principal: &Principal) -> Option<Entity> {
        let attributes = [
            ("tenant", self.tenant_value(principal.tenant)),
            ("role", value(&self.role, principal.role.as_str())),
            ("clearance", level(principal.clearance.code())),
            ("purposes", self.purposes(principal.purposes_in_use)),
            ("scopes", strings(&principal.scopes)),
            ("compartments", strings(&principal.compartments)),
        ];
        entity(uid(&self.user, "asking"), attributes)
    }

    pub(super) fn label(&self, tenant: TenantId, label: &Label) -> Option<Entity> {
        let attributes = [
            ("tenant", self.tenant_value(tenant)),
            ("kind", value(&self.kind, label.kind.as_str())),
            ("type", string(&label.thing_type)),
            ("classification", level(label.classification.code())),
            ("licence", value(&self.licence, label.licence.as_str())),
            ("purposes", self.purposes(label.purposes)),
            ("retention", value(&self.retention, label.retention.as_str())),
            ("personal", RestrictedExpression::new_bool(label.personal)),
            ("source", string(&label.source)),
            ("compartments", strings(&label.compartments)),
        ];
        entity(uid(&self.label, "asked"), attributes)
    }

    /// What the request and the label have in common. Cedar can test two sets, but not intersect them.
    pub(super) fn reading(&self, principal: &Principal, label: &Label) -> Option<Context> {
        let in_use = |purpose: &Purpose| principal.purposes_in_use.contains(*purpose);
        let purposes = label.purposes.iter().filter(in_use).collect();
        Context::from_pairs([("purposes".to_owned(), self.purposes(purposes))]).ok()
    }

    pub(super) fn tenant(&self, tenant: TenantId) -> Entity {
        Entity::new_no_attrs(uid(&self.tenant, &tenant.to_string()), HashSet::new())
    }

    fn tenant_value(&self, tenant: TenantId) -> RestrictedExpression {
        value(&self.tenant, &tenant.to_string())
    }

    fn purposes(&self, purposes: Purposes) -> RestrictedExpression {
        let purpose = |purpose: Purpose| value(&self.purpose, purpose.as_str());
        RestrictedExpression::new_set(purposes.iter().map(purpose))
    }
}

fn actions(declared: &Entities) -> Vec<Entity> {
    let type_name = type_name("Action");
    let of = |action: &Action| declared.get(&uid(&type_name, action.as_str())).cloned();
    Action::ALL.iter().map(|action| of(action).expect("the embedded schema declares every action")).collect()
}

fn type_name(name: &str) -> EntityTypeName {
    name.parse().expect("an identifier is a type name")
}

fn uid(type_name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id))
}

/// None if the thread is almost out of stack: Cedar evaluates even literals by recursion.
fn entity<const N: usize>(uid: EntityUid, attributes: [(&str, RestrictedExpression); N]) -> Option<Entity> {
    let attributes: HashMap<_, _> =
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Entity::new(uid, attributes, HashSet::new()).ok()
}

fn value(type_name: &EntityTypeName, id: &str) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid(type_name, id))
}

fn string(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn strings<'a>(texts: impl IntoIterator<Item = &'a String>) -> RestrictedExpression {
    RestrictedExpression::new_set(texts.into_iter().map(|text| string(text)))
}

fn level(code: u8) -> RestrictedExpression {
    RestrictedExpression::new_long(code.into())
}
