//! Data made for a test: JSONL and STIX whose every object is known beforehand.

use serde_json::{Value, json};

/// A file to import, and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) text: String,
    pub(crate) entities: Vec<String>,
    pub(crate) relations: u64,
    /// A word that is in one entity of this file and nowhere else, and that entity.
    pub(crate) word: String,
    pub(crate) word_in: String,
}

impl Made {
    /// Entities and relations together.
    pub(crate) fn things(&self) -> u64 {
        self.entities.len() as u64 + self.relations
    }
}

/// Entities in a ring, each with a text; a line may come before the ends it names.
pub(crate) fn jsonl(name: &str, count: usize) -> Made {
    let id = |number: usize| format!("{name}-{}", number % count);
    let word = format!("zz{name}zz").replace('-', "");
    let mut text = String::new();
    for number in 0..count {
        let said = if number == count / 2 { word.as_str() } else { "ordinary" };
        let relation = json!({"relation": "next", "from": id(number), "to": id(number + 1)});
        let entity = json!({
            "id": id(number), "type": "host", "attributes": {"name": format!("host {name} {number}")},
            "texts": [{"text": format!("a {said} host that was seen in {name}")}],
        });
        text.push_str(&format!("{relation}\n{entity}\n"));
    }
    let entities = (0..count).map(id).collect();
    Made { text, entities, relations: count as u64, word, word_in: id(count / 2) }
}

/// The same ring as a STIX bundle.
pub(crate) fn stix(name: &str, count: usize) -> Made {
    let word = format!("zz{name}zz").replace('-', "");
    let ids: Vec<String> = (0..count).map(|number| stix_id("malware", &format!("{name}{number}"))).collect();
    let mut objects = Vec::new();
    for number in 0..count {
        let said = if number == count / 2 { word.as_str() } else { "ordinary" };
        let relation = stix_id("relationship", &format!("{name}{number}"));
        objects.push(relationship(&relation, &ids[number], "uses", &ids[(number + 1) % count]));
        objects.push(malware(
            &ids[number],
            &format!("malware {name} {number}"),
            &format!("A {said} thing of {name}"),
        ));
    }
    let word_in = ids[count / 2].clone();
    Made { text: bundle(objects).to_string(), entities: ids, relations: count as u64, word, word_in }
}

/// A STIX id whose UUID is made from a name.
pub(crate) fn stix_id(kind: &str, name: &str) -> String {
    use sha2::Digest as _;
    let digest: String = sha2::Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    let (a, b, c, d, e) = (&digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32]);
    format!("{kind}--{a}-{b}-4{c}-8{d}-{e}")
}

pub(crate) fn malware(id: &str, name: &str, description: &str) -> Value {
    json!({
        "type": "malware", "spec_version": "2.1", "id": id, "is_family": false, "name": name, "description": description,
        "created": "2024-01-01T00:00:00.000Z", "modified": "2024-01-02T00:00:00.000Z",
    })
}

pub(crate) fn relationship(id: &str, from: &str, kind: &str, to: &str) -> Value {
    json!({
        "type": "relationship", "spec_version": "2.1", "id": id, "relationship_type": kind, "source_ref": from,
        "target_ref": to, "created": "2024-01-01T00:00:00.000Z", "modified": "2024-01-02T00:00:00.000Z",
    })
}

pub(crate) fn bundle(objects: Vec<Value>) -> Value {
    json!({"type": "bundle", "id": stix_id("bundle", "a bundle"), "objects": objects})
}
