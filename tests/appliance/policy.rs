//! The policy in its officer's hands: refused with line and reason, tried out, set, explained; and what was decided.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::node::{Node, Ran, program, run};

/// Two things of a source that anybody may read, and one of a source that is confidential.
fn with_data() -> Node {
    let node = Node::start();
    let thing = |id: &str| {
        json!({"id": id, "type": "host", "attributes": {"name": format!("kestrel {id}")}}).to_string()
    };
    let open = node.write("open.jsonl", [thing("open-a"), thing("open-b")].join("\n"));
    let closed = node.write("closed.jsonl", thing("closed-a"));
    node.import(&open, "jsonl", "open", &["--classification", "public"]).ok();
    node.import(&closed, "jsonl", "closed", &["--classification", "confidential"]).ok();
    node
}

/// The built-in policy with a rule more, in a file that begins as `policy show` printed it.
fn edited(node: &Node, name: &str, more: &str) -> PathBuf {
    let shown = node.cli(&["policy", "show"]).ok();
    let (version, text) = (&shown["version"], shown["text"].as_str().expect("a text"));
    node.write(name, format!("// intelgraph policy version {version}\n{text}{more}"))
}

fn with_file(node: &Node, args: &[&str], file: &Path) -> Ran {
    node.cli(&[args, &[file.to_str().expect("UTF-8")]].concat())
}

const NO_HOSTS: &str = "\n@id(\"no-hosts\")\nforbid (principal, action in Action::\"read\", resource)\nwhen { resource.type == \"host\" && resource.source == \"open\" && principal.role == Role::\"reader\" };\n";

/// Each is refused with policy, line and reason, by `check` without a node and by `set`.
#[test]
fn bad_policies_are_refused_with_policy_line_and_reason() {
    let node = Node::start();
    let cases = [
        (
            "does not parse",
            "permit (principal, action, resource)\n\nforbid",
            None,
            3,
            "unexpected end of input",
        ),
        (
            "does not type-check",
            "\n@id(\"age\")\nforbid (principal, action, resource) when { principal.age > 3 };",
            Some("age"),
            3,
            "attribute `age`",
        ),
        (
            "a word outside its vocabulary",
            "@id(\"typo\")\nforbid (principal, action in Action::\"read\", resource)\nwhen { resource.licence == Licence::\"Embargo\" };",
            Some("typo"),
            3,
            "Embargo",
        ),
        (
            "could error",
            "@id(\"sum\")\nforbid (principal, action in Action::\"read\", resource) when { principal.clearance * 4611686018427387904 > 0 };",
            Some("sum"),
            1,
            "can overflow",
        ),
        (
            "permits everything",
            "// all\n@id(\"all\")\npermit (principal, action, resource);",
            Some("all"),
            2,
            "confirm `above-clearance`",
        ),
        (
            "locks the owner out",
            "\n@id(\"nobody\")\nforbid (principal, action == Action::\"policy.manage\", resource);\npermit (principal, action == Action::\"policy.manage\", resource);",
            Some("nobody"),
            2,
            "confirm `lock-out`",
        ),
    ];
    for (what, text, policy, line, reason) in cases {
        let file = node.write("bad.cedar", text);
        let file = file.to_str().expect("UTF-8");
        let mut alone = program();
        alone.args(["policy", "check", file, "--json"]);
        let checked = run(alone);
        assert_eq!((checked.exit, &checked.json["ok"]), (1, &json!(false)), "{what}: {checked:?}");
        let set = node.cli(&["policy", "set", file, "--replaces", "0"]);
        set.failed(2, "policy_refused");
        for problems in [&checked.json["problems"], &set.error()["details"]["problems"]] {
            let told = problems.as_array().into_iter().flatten().any(|problem| {
                problem["policy"].as_str() == policy
                    && problem["line"] == line
                    && problem["message"].as_str().is_some_and(|message| message.contains(reason))
            });
            assert!(told, "{what}: {problems}");
        }
    }
    let large = node.write("large.cedar", format!("// {}", "x".repeat(256 * 1024)));
    with_file(&node, &["policy", "set", "--replaces", "0"], &large).failed(2, "policy_refused");
    node.cli(&["policy", "check", "nowhere.cedar"]).failed(2, "bad_input");
    assert_eq!(node.cli(&["policy", "check", "-", "--confirm", "everything"]).exit, 2);
    // Nothing was set, and the built-in policy has nothing wrong with it.
    let shown = node.cli(&["policy", "show"]).ok();
    assert_eq!((&shown["version"], &shown["built_in"]), (&json!(0), &json!(true)), "{shown}");
    let built_in = edited(&node, "built-in.cedar", "");
    let mut alone = program();
    alone.args(["policy", "check", built_in.to_str().expect("UTF-8"), "--json"]);
    assert_eq!(run(alone).ok(), json!({"ok": true, "problems": []}));
}

#[test]
fn a_policy_is_tried_out_set_and_in_force_at_once() {
    let mut node = with_data();
    let made = node.cli(&["token", "create", "--role", "reader"]).ok();
    let (id, reader) = (made["id"].as_str().expect("an id"), made["token"].as_str().expect("a token"));
    let see = |node: &Node, args: &[&str]| node.cli_as(reader, args);
    for _ in 0..2 {
        see(&node, &["entity", "get", "open-a"]).ok();
    }
    assert_eq!(see(&node, &["search", "kestrel"]).ok()["hits"].as_array().map(Vec::len), Some(2));

    let file = edited(&node, "policy.cedar", NO_HOSTS);
    let tried = with_file(&node, &["policy", "simulate"], &file).ok();
    assert_eq!((&tried["gains"], &tried["dangers"]), (&json!([]), &json!([])), "{tried}");
    let lost = |action: &str| {
        let losses = tried["losses"].as_array().into_iter().flatten();
        let of: Vec<_> = losses.filter(|change| change["action"] == action).collect();
        assert_eq!(of.len(), 1, "{action}: {tried}");
        of[0].clone()
    };
    let read = lost("entity.read");
    assert_eq!(read["principal"], format!("reader, clearance public (token {id})"), "{tried}");
    assert_eq!(read["label"], "host entity of open: public, Open-Data-OK, for threat-intel, standard-365d");
    // Two entities opened, and two titles of hits.
    assert_eq!((&read["used"], &lost("entity.search")["used"]), (&json!(4), &json!(2)), "{tried}");
    assert_eq!(lost("lineage.read")["used"], 0);

    let set = with_file(&node, &["policy", "set"], &file).ok();
    assert_eq!(set["changed"], true, "{set}");
    see(&node, &["entity", "get", "open-a"]).failed(1, "not_found");
    assert!(see(&node, &["search", "kestrel"]).ok()["hits"].as_array().is_some_and(Vec::is_empty));
    node.cli(&["entity", "get", "open-a"]).ok();
    // Whoever edited the version before is told so; who says the same again is not refused.
    let late = node.write("late.cedar", "// intelgraph policy version 0\n@id(\"x\") permit (principal, action == Action::\"policy.manage\", resource);");
    with_file(&node, &["policy", "set"], &late).failed(1, "superseded");
    assert_eq!(with_file(&node, &["policy", "set"], &file).ok()["changed"], false);
    let history = node.cli(&["policy", "show", "--history"]).ok();
    assert_eq!(history["versions"].as_array().map(Vec::len), Some(1), "{history}");
    assert_eq!(history["versions"][0]["version"], set["version"], "{history}");

    node.kill();
    node.restart();
    see(&node, &["entity", "get", "open-a"]).failed(1, "not_found");
    let shown = node.cli(&["policy", "show"]).ok();
    assert!(shown["text"].as_str().is_some_and(|text| text.ends_with(NO_HOSTS)), "{shown}");
    assert_eq!(node.cli(&["policy", "show", "--version", "0"]).ok()["built_in"], true);
    node.cli(&["policy", "show", "--version", "1"]).failed(1, "not_found");
    node.stop_and_verify();
}

#[test]
fn every_decision_can_be_explained() {
    let node = with_data();
    let made = node.cli(&["token", "create", "--role", "reader"]).ok();
    let (id, reader) = (made["id"].as_str().expect("an id"), made["token"].as_str().expect("a token"));
    let explain = |args: &[&str]| {
        let args = [&["policy", "explain", "--token", id], args].concat();
        node.cli(&args).ok()["decisions"][0].clone()
    };
    let allowed = explain(&["--action", "entity.read", "--thing", "open-a"]);
    assert_eq!(allowed["summary"], "allowed: `readers-read` permits it, and nothing forbids it", "{allowed}");
    let denied = explain(&["--action", "entity.read", "--thing", "closed-a"]);
    assert_eq!(
        (&denied["allowed"], &denied["summary"]),
        (&json!(false), &json!("denied: `clearance` forbids it"))
    );
    let reason = &denied["reasons"][0];
    assert!(reason["text"].as_str().is_some_and(|text| text.contains("principal.clearance >=")), "{denied}");
    assert_eq!(
        reason["found"],
        json!([
            {"name": "principal.clearance", "value": "public (1)"},
            {"name": "resource.classification", "value": "confidential (3)"},
        ])
    );
    let label = denied["label_id"].to_string();
    assert_eq!(explain(&["--action", "entity.read", "--label", &label])["summary"], denied["summary"]);
    let tenant = explain(&["--action", "token.manage"]);
    assert_eq!(tenant["summary"], "denied: nothing permits it; `admins-manage-the-tenant` would, to others");
    let other = explain(&["--action", "entity.read", "--thing", "open-a", "--purpose", "demo"]);
    assert_eq!(other["summary"], "denied: `purpose` forbids it", "{other}");

    // A decision of the log is explained by what was known then.
    node.cli_as(reader, &["entity", "get", "closed-a"]).failed(1, "not_found");
    node.cli_as(reader, &["token", "list"]).failed(1, "denied");
    let log = node.cli(&["policy", "decisions", "--token", id, "--denied"]).ok();
    let decisions = log["decisions"].as_array().expect("a list");
    let actions: Vec<_> =
        decisions.iter().map(|decision| decision["action"].as_str().unwrap_or_default()).collect();
    assert_eq!(actions.len(), 2, "{log}");
    assert!(actions.contains(&"entity.read") && actions.contains(&"token.manage"), "{log}");
    let read = decisions.iter().find(|decision| decision["action"] == "entity.read").expect("it was denied");
    assert_eq!((&read["because"], &read["label_id"]), (&json!(["clearance"]), &denied["label_id"]), "{log}");
    let file = edited(
        &node,
        "policy.cedar",
        "\n@id(\"more\")\nforbid (principal, action in Action::\"read\", resource) when { resource.source == \"closed\" };\n",
    );
    with_file(&node, &["policy", "set"], &file).ok();
    let then = node.cli(&["policy", "explain", read["id"].as_str().expect("an id")]).ok();
    assert_eq!(then["decisions"][0]["summary"], "denied: `clearance` forbids it", "{then}");
    assert_eq!(then["decisions"][0]["version"], 0, "{then}");
    // From an answer to its decision: the request's id leads there, and back.
    let request = ("x-request-id", "4bf92f3577b34da6");
    let bearer = format!("Bearer {reader}");
    let body = json!({"id": "entity:v1", "variables": {"id": "closed-a"}}).to_string().into_bytes();
    let headers = [request, ("authorization", bearer.as_str()), ("content-type", "application/json")];
    node.http().send(reqwest::Method::POST, "/graphql", &headers, body);
    let of_request = node.cli(&["policy", "decisions", "--request", request.1]).ok();
    let decisions = of_request["decisions"].as_array().expect("a list");
    assert!(
        !decisions.is_empty() && decisions.iter().all(|one| one["requests"] == json!([request.1])),
        "{of_request}"
    );
    let id = decisions.iter().find(|one| one["allowed"] == false).and_then(|one| one["id"].as_str());
    let then = node.cli(&["policy", "explain", id.expect("it was denied")]).ok();
    assert_eq!(then["decisions"][0]["requests"], json!([request.1]), "{then}");
    let now = explain(&["--action", "entity.read", "--label", &label]);
    assert_eq!(now["summary"], "denied: `clearance` and `more` forbids it", "{now}");
}

/// Who may not set the policy learns nothing of it; who may learns of no thing that he may not see.
#[test]
fn policies_are_their_officers_business() {
    let node = with_data();
    let made = node.cli(&["token", "create", "--role", "reader"]).ok();
    let id = made["id"].as_str().expect("an id");
    let file = edited(&node, "policy.cedar", NO_HOSTS);
    let file = file.to_str().expect("UTF-8");
    let analyst = node.new_token(&["--role", "analyst", "--clearance", "secret"]);
    for args in [
        &["policy", "show"][..],
        &["policy", "show", "--history"],
        &["policy", "set", file],
        &["policy", "simulate", file],
        &["policy", "decisions"],
        &["policy", "explain", "--token", id, "--action", "token.manage"],
        &["policy", "explain", "1.2"],
    ] {
        node.cli_as(&analyst, args).failed(1, "denied");
    }
    let admin = node.new_token(&["--role", "admin", "--clearance", "internal"]);
    let explain = |args: &[&str]| {
        let ran = node.cli_as(
            &admin,
            &[&["policy", "explain", "--token", id, "--action", "entity.read"], args].concat(),
        );
        (ran.exit, ran.error().to_string())
    };
    let hidden = explain(&["--thing", "closed-a"]);
    let absent = explain(&["--thing", "absent-a"]);
    assert_eq!(hidden.1.replace("closed-a", "absent-a"), absent.1);
    assert_eq!((hidden.0, absent.0), (1, 1));
    node.cli_as(
        &admin,
        &["policy", "explain", "--token", id, "--action", "entity.read", "--thing", "open-a"],
    )
    .ok();
    // Another tenant's token is as absent as none.
    let other = node.cli(&["token", "create", "--role", "reader", "--tenant", "other"]).ok();
    let of = |token: &str| {
        let ran = node.cli(&["policy", "explain", "--token", token, "--action", "token.manage"]);
        (ran.exit, ran.error().to_string().replace(token, "TOKEN"))
    };
    assert_eq!(of(other["id"].as_str().expect("an id")), of("nobody"));
    // Each tenant has its own policy.
    node.cli(&["policy", "set", file]).ok();
    assert_eq!(node.cli(&["policy", "show", "--tenant", "other"]).ok()["version"], 0);
    let decided = node.cli(&["policy", "decisions", "--tenant", "other"]).ok();
    assert!(!decided.to_string().contains(id), "{decided}");
}

#[test]
fn dangers_are_confirmed_by_name_and_recorded() {
    let node = Node::start();
    let all = node.write("all.cedar", "@id(\"all\")\npermit (principal, action, resource);\n");
    let all = all.to_str().expect("UTF-8");
    let set =
        |confirmed: &[&str]| node.cli(&[&["policy", "set", all, "--replaces", "0"], confirmed].concat());
    set(&["--confirm", "lock-out"]).failed(2, "policy_refused");
    let half = set(&["--confirm", "cross-tenant"]).failed(2, "policy_refused");
    assert!(half.contains("above-clearance") && !half.contains("confirm `cross-tenant`"), "{half}");
    let version = set(&["--confirm", "cross-tenant", "--confirm", "above-clearance"]).ok()["version"].clone();
    let history = node.cli(&["policy", "show", "--history"]).ok();
    assert_eq!(history["versions"][0]["confirmed"], json!(["cross-tenant", "above-clearance"]), "{history}");
    // A policy that shuts everybody out is in force once it was confirmed.
    let nothing = node.write("nothing.cedar", "");
    let nothing = nothing.to_str().expect("UTF-8");
    let version = version.to_string();
    let args = ["policy", "set", nothing, "--replaces", &version];
    node.cli(&args).failed(2, "policy_refused");
    node.cli(&[&args[..], &["--confirm", "lock-out"]].concat()).ok();
    node.cli(&["policy", "show"]).failed(1, "denied");
}

/// Whoever has the data directory has the way out, whether the node runs or not; and it is a version like every other.
#[test]
fn a_lock_out_is_taken_back_on_the_nodes_machine() {
    let mut node = with_data();
    let nothing = node.write("nothing.cedar", "");
    let lock_out = |node: &Node, version: &Value| {
        let version = version.to_string();
        let args = ["policy", "set", nothing.to_str().expect("UTF-8"), "--replaces", &version];
        node.cli(&[&args[..], &["--confirm", "lock-out"]].concat()).ok();
        node.cli(&["policy", "show"]).failed(1, "denied");
    };
    let data_dir = node.data_dir();
    let reset = |node: &Node, more: &[&str]| {
        let args = ["policy", "reset", "--data-dir", data_dir.to_str().expect("UTF-8")];
        node.cli_as("", &[&args[..], more].concat())
    };
    assert_eq!(reset(&node, &[]).ok(), json!({"tenant": "default", "version": null, "changed": false}));
    lock_out(&node, &json!(0));
    let running = reset(&node, &[]).ok();
    assert_eq!(running["changed"], true, "{running}");
    node.cli(&["entity", "get", "open-a"]).ok();

    lock_out(&node, &running["version"]);
    node.stop();
    let stopped = reset(&node, &[]).ok();
    assert_eq!(reset(&node, &[]).ok()["changed"], false);
    reset(&node, &["--tenant", "nobody"]).failed(3, "failed");
    node.restart();
    let history = node.cli(&["policy", "show", "--history"]).ok();
    let versions: Vec<_> = history["versions"].as_array().expect("a list").iter().collect();
    assert_eq!((versions.len(), &versions[0]["version"]), (4, &stopped["version"]), "{history}");
    assert_eq!(versions[0]["set_by"], Value::Null, "by no token: {history}");
    let built_in = node.cli(&["policy", "show", "--built-in"]).ok()["text"].clone();
    assert_eq!(node.cli(&["policy", "show"]).ok()["text"], built_in);
    node.stop_and_verify();

    let nowhere = node.file("nowhere");
    let args = ["policy", "reset", "--data-dir", nowhere.to_str().expect("UTF-8")];
    node.cli_as("", &args).failed(3, "unreachable");
    assert!(!nowhere.exists(), "nothing is made where no node was");
}

#[test]
fn decisions_outlive_a_restart_and_closed_files_are_in_the_ledger() {
    let mut node = with_data();
    let reader = node.new_token(&["--role", "reader"]);
    node.cli_as(&reader, &["search", "kestrel"]).ok();
    let records =
        |node: &Node| node.http().graphql("node:v1", json!({}))["node"]["lsn"].as_u64().expect("a number");
    let before = records(&node);
    for _ in 0..50 {
        node.cli_as(&reader, &["entity", "get", "open-a"]).ok();
    }
    assert_eq!(records(&node), before, "a read costs no record");
    node.stop();
    let directory = node.data_dir().join("decisions").join("1");
    let file = directory.join("00000001.log");
    let text = std::fs::read_to_string(&file).expect("a file of decisions");
    // As if it had been begun long ago: the next decision begins another.
    let (head, rest) = text.split_once('\n').expect("a first line");
    let mut json: Value = serde_json::from_str(&head[9..]).expect("JSON behind a checksum");
    json["begun_us"] = 0.into();
    let json = json.to_string();
    std::fs::write(&file, format!("{:08x} {json}\n{rest}", crc32fast::hash(json.as_bytes())))
        .expect("written");
    node.restart();
    let found = node.cli(&["policy", "decisions", "--action", "entity.read"]).ok();
    let count: u64 =
        found["decisions"].as_array().into_iter().flatten().filter_map(|d| d["count"].as_u64()).sum();
    // Fifty opened, and two titles of hits.
    assert_eq!((count, &found["damaged"]), (52, &json!([])), "{found}");
    let begun = std::time::Instant::now();
    while records(&node) == before {
        assert!(begun.elapsed().as_secs() < 20, "a closed file is recorded");
        node.cli_as(&reader, &["entity", "get", "open-a"]).ok();
    }
    // From now on nobody changes it unseen.
    std::fs::write(&file, format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))).expect("written");
    let found = node.cli(&["policy", "decisions"]).ok();
    assert_eq!(
        found["damaged"],
        json!(["decisions 1: the file is not the one that the ledger has recorded"]),
        "{found}"
    );
    node.stop();
    let told = node.cli(&["verify", node.data_dir().to_str().expect("UTF-8")]);
    let problem = "decisions 1: the file is not the one that the ledger has recorded (tenant `default`)";
    assert_eq!((told.exit, &told.json["problems"]), (1, &json!([problem])), "{told:?}");
}

/// As a newer program would leave it: nothing is allowed, everybody is told why, and an owner has a way out.
#[test]
fn a_policy_that_this_program_cannot_use_denies_everything_until_an_owner_replaces_it() {
    let mut node = with_data();
    let admin = node.new_token(&["--role", "admin", "--clearance", "internal"]);
    node.stop();
    let text = "permit (principal, action == Action::\"entity.dream\", resource);\n";
    set_behind_its_back(&node, text);
    node.restart();
    for args in [
        &["search", "kestrel"][..],
        &["entity", "get", "open-a"],
        &["relations", "open-a"],
        &["token", "list"],
        &["policy", "simulate", "-"],
    ] {
        let message = node.cli(args).failed(3, "policy_unusable");
        assert!(
            message.contains("line 1, policy `policy0`") && message.contains("entity.dream"),
            "{message}"
        );
        assert!(message.contains("an owner can replace it"), "{message}");
    }
    node.cli_as(&admin, &["policy", "show"]).failed(3, "policy_unusable");
    let shown = node.cli(&["policy", "show"]).ok();
    assert_eq!((&shown["text"], &shown["problems"][0]["line"]), (&json!(text), &json!(1)), "{shown}");
    let built_in = node.cli(&["policy", "show", "--built-in"]).ok();
    let file = node.write("built-in.cedar", built_in["text"].as_str().expect("a text"));
    with_file(&node, &["policy", "set", "--replaces", &shown["version"].to_string()], &file).ok();
    assert_eq!(node.cli(&["search", "kestrel"]).ok()["hits"].as_array().map(Vec::len), Some(3));
    node.cli_as(&admin, &["policy", "show"]).ok();
    node.stop_and_verify();
}

/// The store takes any text: what it says is not its business.
fn set_behind_its_back(node: &Node, text: &str) {
    use storage::commands::{Command, SetPolicy};
    use storage::ids::ActorId;
    use storage::model::PolicySet;
    let held = storage::Directory::hold(&node.data_dir()).expect("a stopped node's directory");
    let store = held.open_store(8 << 20, String::new()).expect("opens");
    let tenant = store.view().and_then(|view| view.tenant("default")).expect("read").expect("a tenant");
    let policy = PolicySet { text: text.to_owned(), replaces: 0, confirmed: vec![] };
    let set = Command::SetPolicy(SetPolicy { tenant, actor: ActorId::NODE, policy });
    let stamp = storage::Stamp { time_us: 0, seed: [7; 32] };
    store.write(&[set], stamp).expect("commits").answers.remove(0).expect("set");
}
