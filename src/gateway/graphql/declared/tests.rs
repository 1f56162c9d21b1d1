use super::*;

#[test]
fn every_field_says_who_sees_it() {
    let silent: Vec<_> = DECLARED
        .fields()
        .filter(|(_, _, field)| field.rule.is_none())
        .map(|(of, name, _)| format!("{of}.{name}"))
        .collect();
    assert!(silent.is_empty(), "neither @auth nor @public, or both, or an unknown action: {silent:?}");
    assert!(DECLARED.fields().count() > 80, "the schema was read");
}

/// What a caller may begin with reaches policy; `node` tells a caller of himself. Who reads may keep graphs of what he reads.
#[test]
fn every_root_field_asks_policy() {
    let of_his_own = ["graphSave", "graphDelete"];
    for (of, name, field) in DECLARED.fields().filter(|(of, ..)| ["Query", "Mutation"].contains(of)) {
        let asks = matches!(field.rule, Some(Rule::Auth(_)));
        assert!(asks || ["node", "tokenLink"].contains(&name), "{of}.{name}: {:?}", field.rule);
        let changes = of == "Mutation" && !of_his_own.contains(&name);
        if let Some(Rule::Auth(action)) = field.rule {
            assert!(!changes || !action.is_read(), "{of}.{name} changes something under `{action}`");
        }
    }
}

#[test]
fn a_gated_field_can_be_null() {
    let roots = ["Query", "Mutation"];
    for (of, name, field) in DECLARED.fields().filter(|(of, ..)| !roots.contains(of)) {
        assert!(field.rule == Some(Rule::Public) || field.nullable, "{of}.{name}: {field:?}");
    }
}

#[test]
fn what_is_declared_twice_or_wrongly_is_not_declared() {
    let sdl = "type Query { a: Int @auth(abac: \"entity.read\") b: Int @auth(abac: \"entity.reed\") \
               c: Int @auth(abac: \"entity.read\") @public d: [T!]! @public e: Int } \
               type T @public { f: Int g: Int @auth(abac: \"entity.read\", every: true) \
               h: Int @deprecated(reason: \"use f\") }";
    let declared = Declared::of(sdl);
    let rule = |of, name| declared.field(of, name).expect("a field").rule;
    assert_eq!(rule("Query", "a"), Some(Rule::Auth(Action::EntityRead)));
    assert_eq!([rule("Query", "b"), rule("Query", "c"), rule("Query", "e")], [None; 3]);
    assert_eq!(rule("Query", "d"), Some(Rule::Public));
    assert_eq!(rule("T", "f"), Some(Rule::Public));
    assert_eq!(rule("T", "g"), Some(Rule::Every(Action::EntityRead)));
    let field = declared.field("Query", "d").expect("a field");
    assert_eq!((field.returns.as_str(), field.list), ("T", true));
    let old = declared.field("T", "h").expect("a field");
    assert_eq!(old.deprecated.as_deref(), Some("use f"));
}
