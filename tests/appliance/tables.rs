//! Tables: what their columns are is shown before, can be put right, and is recorded with the import.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::{Node, Ran};

const HOSTS: &str = "id,name,cores,zone,notes\n\
    h-1,gate,4,dmz,\"A machine at the edge, patched in May and looked after by nobody in particular.\"\n\
    h-2,vault,16,dmz,\n\
    h-3,left,x,lan,\n\
    h-4,right\n\
    h-5,up,8,lan,\n\
    h-6,down,8,lan,\n\
    h-7,in,8,dmz,\n\
    h-8,out,8,lan,\n\
    h-9,over,8,lan,\n";

const MAPPING: &str = r#"
format = 1
type = "host"

[[column]]
name = "id"
as = "id"

[[column]]
name = "name"
as = "attribute"

[[column]]
name = "cores"
as = "attribute"
type = "integer"

[[column]]
name = "zone"
as = "relation"
to = "stands-in"
prefix = "zone-"

[[column]]
name = "notes"
as = "text"
"#;

fn rejects(ran: &Ran) -> Vec<Value> {
    let path = ran.json["rejects_file"].as_str().unwrap_or_else(|| panic!("no rejects file: {ran:?}"));
    let text = fs::read_to_string(path).expect("the rejects");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn attribute(entity: &Value, name: &str) -> Value {
    let attributes = entity["attributes"].as_array().expect("attributes");
    attributes.iter().find(|of| of["name"] == name).map(|of| of["value"].clone()).unwrap_or_default()
}

#[test]
fn a_table_is_shown_before_it_is_taken_and_taken_as_it_was_shown() {
    let mut node = Node::start();
    let file = node.write("hosts.csv", HOSTS);
    let shown = node.import(&file, "csv", "assets", &["--preview"]);
    assert_eq!(shown.exit, 1, "one row would be refused: {shown:?}");
    let preview = &shown.json["previews"][0];
    assert_eq!(
        (&preview["things"], &preview["rejected"], &preview["whole"]),
        (&json!(8), &json!(1), &json!(true))
    );
    assert_eq!(preview["rejects"][0]["line"], 5);
    assert_eq!(preview["rejects"][0]["code"], "ragged_row");
    let types: Vec<_> =
        preview["columns"].as_array().expect("columns").iter().map(|of| of["type"].clone()).collect();
    assert_eq!(types, ["id", "text", "text", "enumeration", "text"]);
    let first = &preview["rows"][0];
    assert_eq!((&first["line"], &first["becomes"][0]["id"]), (&json!(2), &json!("h-1")));
    assert_eq!(node.http().graphql("node:v1", json!({}))["node"]["entities"], 0, "nothing was written");

    let mapping = node.write("mapping.toml", preview["mapping"].as_str().expect("a mapping"));
    let by_mapping = node.import(&file, "csv", "assets", &["--mapping", mapping.to_str().expect("UTF-8")]);
    assert_eq!((by_mapping.exit, &by_mapping.json["created"]), (1, &json!(8)), "{by_mapping:?}");
    let by_itself = node.import(&file, "csv", "assets", &[]);
    assert_eq!((by_itself.exit, &by_itself.json["unchanged"]), (1, &json!(8)), "{by_itself:?}");
    let entity = node.cli(&["entity", "get", "h-1"]).ok();
    assert_eq!((&entity["type"], &entity["title"]), (&json!("hosts"), &json!("gate")));
    assert_eq!(attribute(&entity, "cores"), "4", "one cell is no number, so none is: {entity}");
    let found = node.cli(&["search", "patched nobody"]).ok();
    assert_eq!(found["hits"][0]["id"], "h-1", "{found}");
    node.stop_and_verify();
}

#[test]
fn a_declared_mapping_is_kept_to_and_recorded_with_the_run() {
    let mut node = Node::start();
    let zones = node.write(
        "zones.jsonl",
        "{\"id\":\"zone-dmz\",\"type\":\"zone\"}\n{\"id\":\"zone-lan\",\"type\":\"zone\"}\n",
    );
    node.import(&zones, "jsonl", "zones", &[]).ok();
    let (file, mapping) = (node.write("hosts.csv", HOSTS), node.write("hosts.toml", MAPPING));
    let ran = node.import(&file, "csv", "assets", &["--mapping", mapping.to_str().expect("UTF-8")]);
    let told: Vec<_> = rejects(&ran)
        .iter()
        .map(|of| (of["line"].clone(), of["column"].clone(), of["code"].clone(), of["value"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            (json!(4), json!("cores"), json!("bad_integer"), json!("x")),
            (json!(5), Value::Null, json!("ragged_row"), json!("h-4 | right")),
        ]
    );
    assert_eq!((&ran.json["entities"], &ran.json["relations"]), (&json!(7), &json!(7)), "{ran:?}");
    let near = node.cli(&["relations", "h-1"]).ok();
    assert_eq!(
        (&near["relations"][0]["kind"], &near["relations"][0]["to"]),
        (&json!("stands-in"), &json!("zone-dmz"))
    );
    assert_eq!(attribute(&node.cli(&["entity", "get", "h-2"]).ok(), "cores"), 16);

    node.import(&file, "csv", "others", &[]);
    let runs = node.http().list("runs:v2", json!({}), "runs");
    let digest: String = {
        use sha2::Digest as _;
        sha2::Sha256::digest(MAPPING).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let declared =
        json!([{"input": "dataset:file:hosts.csv", "format": 1, "sha256": digest, "inferred": false}]);
    assert_eq!(runs[1]["mappings"], declared, "{runs:?}");
    assert_eq!(runs[0]["mappings"][0]["inferred"], true, "{runs:?}");
    assert_eq!(runs[2]["mappings"], json!([]), "lines of JSON have no columns");
    node.stop_and_verify();
}

#[test]
fn what_is_wrong_with_a_mapping_or_a_table_is_said() {
    let node = Node::start();
    let file = node.write("hosts.csv", HOSTS);
    let mapping = node.write("bad.toml", MAPPING.replace("\"integer\"", "\"whole\""));
    let ran = node.import(&file, "csv", "assets", &["--mapping", mapping.to_str().expect("UTF-8")]);
    assert!(ran.failed(2, "invalid").contains("whole"), "{ran:?}");
    let ran = node.import(&file, "jsonl", "assets", &["--mapping", mapping.to_str().expect("UTF-8")]);
    assert!(ran.failed(2, "bad_input").contains("--format csv"), "{ran:?}");
    assert!(node.http().list("runs:v2", json!({}), "runs").is_empty(), "no import was begun");
    let mapping =
        node.write("fewer.toml", MAPPING.split("[[column]]\nname = \"zone\"").next().expect("text"));
    let ran = node.import(&file, "csv", "assets", &["--mapping", mapping.to_str().expect("UTF-8")]);
    assert!(ran.failed(2, "bad_input").contains("`zone`"), "{ran:?}");
    let wide = node.write("wide.csv", b"\xff\xfei\x00d\x00");
    assert!(node.import(&wide, "csv", "assets", &[]).failed(2, "bad_input").contains("UTF-16"));
    assert!(node.import(&wide, "csv", "assets", &["--preview"]).failed(2, "bad_input").contains("UTF-16"));
}

/// As the upload of a page does it: the mapping in front of the file.
#[test]
fn an_upload_brings_its_mapping_and_sees_the_same_preview() {
    let node = Node::start();
    let http = node.http();
    let send = |path: &str, mapping: Option<&str>| {
        let part = |name: &str, text: &str| {
            format!(
                "--xyz\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"hosts.csv\"\r\n\r\n{text}\r\n"
            )
        };
        let mapping = mapping.map(|text| part("mapping", text)).unwrap_or_default();
        let body = format!("{mapping}{}--xyz--\r\n", part("file", HOSTS));
        let token = format!("Bearer {}", node.token);
        let headers =
            [("authorization", token.as_str()), ("content-type", "multipart/form-data; boundary=xyz")];
        http.send(Method::POST, path, &headers, body.into_bytes())
    };
    let jsonl = send("/api/v1/import?format=jsonl&source=lines&purpose=demo&licence=MIT-OK", Some(MAPPING));
    assert_eq!(jsonl.status, 400, "lines of JSON say themselves what they hold: {jsonl:?}");
    let preview = "/api/v1/import/preview?format=csv";
    let shown = send(preview, Some(MAPPING)).json();
    assert_eq!(
        (&shown["inferred"], &shown["rows"][0]["becomes"][1]["relation"]),
        (&json!(false), &json!("stands-in"))
    );
    assert_eq!(send(preview, None).json()["inferred"], true);
    assert_eq!(send(preview, Some("format = 7")).status, 400);
    assert_eq!(send("/api/v1/import/preview?format=xml", None).status, 400);
    let import = "/api/v1/import?format=csv&source=assets&purpose=demo&licence=MIT-OK";
    let taken = send(import, None);
    assert_eq!((taken.status, &taken.json()["created"]), (200, &json!(8)), "{taken:?}");
    assert_eq!(send(import, Some("format = 7")).status, 400);
    let auditor = node.http_as(&node.new_token(&["--role", "auditor"]));
    let bearer = "Bearer none";
    assert_eq!(auditor.send(Method::POST, preview, &[("authorization", bearer)], HOSTS.into()).status, 401);
}

#[test]
fn a_preview_reads_no_further_than_it_says_and_any_format() {
    let node = Node::start();
    let mut text = String::from("id,name\n");
    while text.len() < 5 << 20 {
        text += &format!("host-{},a name\n", text.len());
    }
    let file = node.write("long.csv", text);
    let shown = node.import(&file, "csv", "assets", &["--preview"]).ok();
    let preview = &shown["previews"][0];
    assert_eq!((&preview["whole"], &preview["bytes"]), (&json!(false), &json!(2 << 20)), "{preview}");
    assert_eq!(preview["rejected"], 0, "a row that is cut where one stops to look is none that is refused");
    assert_eq!(preview["rows"].as_array().expect("rows").len(), 20);
    let bundle = node.write("b.json", crate::data::stix("shown", 5000).text);
    let shown = node.import(&bundle, "stix", "bundles", &["--preview"]).ok();
    assert_eq!(shown["previews"][0]["rows"][1]["becomes"][0]["type"], "malware", "{shown}");
}
