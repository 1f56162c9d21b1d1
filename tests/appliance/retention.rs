//! What was said long ago is hidden and purged, by a clock that can be believed; a hold keeps it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;
use storage::commands::{Assert, Command, CreateTenant, IfEndMissing, SeeClock, SetSource};
use storage::ids::{ActorId, SourceId, TenantId};
use storage::model::{
    Claim, Classification, Form, Label, LabelKind, Licence, Part, Purpose, Purposes, Retention, Said,
    SourceSpec, Status, Text,
};
use storage::{Directory, Stamp};

use crate::node::Node;

const DAY_US: i64 = 86_400_000_000;

/// A data directory whose node was last used forty days ago: something of each tier, said then.
fn forty_days_old(data_dir: &Path) {
    let now_us = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros() as i64;
    let stamp = Stamp { time_us: now_us - 40 * DAY_US, seed: [3; 32] };
    let held = Directory::hold(data_dir).expect("free");
    // A node has its key before it has a tenant, and is not without it later.
    intelgraph::node::signing_seed(&held.keys(), false).expect("a key");
    let store = held.open_store(1 << 20, "00112233aabbccdd".to_owned()).expect("opens");
    let (tenant, actor) = (TenantId(1), ActorId::NODE);
    let mut commands = vec![
        Command::CreateTenant(CreateTenant { name: "default".to_owned(), actor }),
        Command::SetSource(SetSource { tenant, actor, spec: spec() }),
        Command::SeeClock(SeeClock { vouched: false }),
    ];
    for retention in Retention::ALL {
        commands.push(Command::Assert(Box::new(Assert {
            tenant,
            source: SourceId(1),
            actor,
            purpose: Purpose::ThreatIntel.code(),
            said: said(*retention),
            if_end_missing: IfEndMissing::Refuse,
        })));
    }
    let answers = store.write(&commands, stamp).expect("commits").answers;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

fn spec() -> SourceSpec {
    SourceSpec {
        name: "feed".to_owned(),
        purposes: Purposes::ALL,
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification: Classification::Public,
        personal: false,
    }
}

fn said(retention: Retention) -> Said {
    let label = Label {
        kind: LabelKind::Entity,
        thing_type: "host".to_owned(),
        classification: Classification::Public,
        licence: Licence::OpenDataOk,
        purposes: Purposes::ALL,
        retention,
        personal: false,
        source: "feed".to_owned(),
        compartments: vec![],
    };
    let claims = vec![Claim { name: "name".to_owned(), json: format!("\"kept {retention}\"") }];
    let texts = vec![Text { text: format!("zqtext of {retention}"), of_claim: String::new() }];
    Said {
        id: retention.to_string(),
        form: Form::Entity,
        thing_type: "host".to_owned(),
        base: None,
        tags: vec![],
        status: Status::Active,
        observed_at_us: None,
        version_us: None,
        edges: vec![],
        weight: None,
        since: None,
        until: None,
        parts: vec![Part { label: Arc::new(label), claims, texts, embedding: None }],
    }
}

fn found(node: &Node) -> Vec<String> {
    let hits = node.cli(&["search", "zqtext"]).ok()["hits"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<_> = hits.iter().map(|hit| hit["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn what_is_over_is_purged_once_the_clock_can_be_believed() {
    let place = tempfile::tempdir().expect("a directory");
    let data_dir = place.path().join("data");
    forty_days_old(&data_dir);
    let mut node = Node::start_in(data_dir.clone());
    let begun = Instant::now();
    while found(&node).is_empty() && begun.elapsed().as_secs() < 30 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let all = ["ephemeral-7d", "legal-hold", "long-1825d", "short-30d", "standard-365d"];
    assert_eq!(found(&node), all, "a clock that jumped by forty days hides nothing");
    let message = node.cli(&["purge"]).failed(3, "clock_jumped");
    assert!(message.contains("--accept-clock"), "{message}");
    assert_eq!(node.cli(&["purge", "--dry-run"]).ok()["records"], 0);
    let told = node.cli(&["doctor"]);
    let checks = told.json["checks"].as_array().cloned().unwrap_or_default();
    let erasure = checks.iter().find(|check| check["name"] == "erasure").expect("a check");
    assert_eq!((told.exit, &erasure["ok"]), (1, &json!(false)), "{erasure}");
    let held = node.cli(&["hold", "add", "--entity", "ephemeral-7d", "--reason", "litigation"]).ok();

    let purged = node.cli(&["purge", "--accept-clock"]).ok();
    let tiers = json!([{"tier": "short-30d", "source": "feed", "records": 1, "bytes": purged["bytes"]}]);
    assert_eq!((&purged["records"], &purged["tiers"]), (&json!(1), &tiers), "{purged}");
    node.cli(&["entity", "get", "short-30d"]).failed(1, "not_found");
    assert_eq!(
        found(&node),
        ["ephemeral-7d", "legal-hold", "long-1825d", "standard-365d"],
        "what is held is not over"
    );
    assert_eq!(node.cli(&["purge"]).ok()["records"], 0);

    node.cli(&["hold", "remove", held["id"].as_str().expect("an id")]).ok();
    assert_eq!(node.cli(&["purge", "--dry-run"]).ok()["records"], 1);
    node.cli(&["entity", "get", "ephemeral-7d"]).failed(1, "not_found");
    assert_eq!(node.cli(&["purge"]).ok()["records"], 2, "and the record of the hold, which names it");
    node.stop_and_verify();
    let store = Directory::hold(&data_dir).expect("free").open_store(1 << 20, String::new()).expect("opens");
    let head = store.view().expect("open").head(TenantId(1)).expect("read");
    assert_eq!((head.entities, head.erased), (3, 3));
}
