//! Data to measure with: texts whose words are as unevenly frequent as words are, and a graph with hubs.

use std::fmt::Write as _;
use std::io::Write;

use serde_json::json;

const VOCABULARY: u64 = 30_000;
const TYPES: [&str; 4] = ["report", "malware", "campaign", "indicator"];
pub(crate) const KINDS: [&str; 4] = ["uses", "targets", "indicates", "mitigates"];
/// The relations are among so many entities, at most: about twenty at each.
const JOINED: u64 = 100_000;
/// A tenth of the relations belong to hubs: each leads to so many, by a kind that no other relation has.
pub(crate) const HUB_ROWS: u64 = 100;
pub(crate) const HUB_KIND: &str = "lists";

/// Entities with a name of three words and a text of thirty, and as many relations.
#[derive(Clone, Copy)]
pub(crate) struct Graph {
    pub(crate) entities: u64,
    pub(crate) relations: u64,
}

impl Graph {
    pub(crate) fn write(&self, file: &mut impl Write) {
        let mut random = Random::new(1);
        for entity in 0..self.entities {
            let (name, text) = (random.words(3), random.words(30));
            let entity = json!({
                "id": self.id(entity), "type": TYPES[(entity % 4) as usize],
                "attributes": {"name": name}, "texts": [{"text": text}],
            });
            writeln!(file, "{entity}").unwrap();
        }
        for relation in 0..self.relations {
            let (kind, from, to) = self.edge(relation);
            let relation = json!({"relation": kind, "from": self.id(from), "to": self.id(to), "weight": 0.5});
            writeln!(file, "{relation}").unwrap();
        }
    }

    /// The id of an entity, as random as ids are.
    pub(crate) fn id(&self, entity: u64) -> String {
        id("entity", entity)
    }

    pub(crate) fn hubs(&self) -> u64 {
        self.relations / 10 / HUB_ROWS
    }

    fn joined(&self) -> u64 {
        JOINED.min(self.entities)
    }

    /// The kind and the ends of a relation: the last ones belong to the hubs.
    fn edge(&self, relation: u64) -> (&'static str, u64, u64) {
        let drawn = self.relations - self.hubs() * HUB_ROWS;
        if relation >= drawn {
            let place = relation - drawn;
            return (HUB_KIND, place / HUB_ROWS, (place * 7919 + 13) % self.joined());
        }
        let kind = KINDS[(relation % 4) as usize];
        (kind, mixed(relation * 2) % self.joined(), mixed(relation * 2 + 1) % self.joined())
    }

    /// Ids that are `hops` relations of one kind apart, and the kind.
    pub(crate) fn ends(
        &self,
        turn: u64,
        hops: usize,
        out: &[Vec<(u64, &'static str)>],
    ) -> (String, String, &'static str) {
        let mut random = Random::new(turn);
        loop {
            let kind = KINDS[random.below(4) as usize];
            let from = random.below(self.joined());
            let step = |at: u64, random: &mut Random| {
                let next: Vec<u64> =
                    out[at as usize].iter().filter(|(_, of)| *of == kind).map(|(to, _)| *to).collect();
                (!next.is_empty()).then(|| next[random.below(next.len() as u64) as usize])
            };
            let to = (0..hops).try_fold(from, |at, _| step(at, &mut random));
            if let Some(to) = to.filter(|to| *to != from) {
                return (self.id(from), self.id(to), kind);
            }
        }
    }

    /// What each entity leads to.
    pub(crate) fn out(&self) -> Vec<Vec<(u64, &'static str)>> {
        let mut out = vec![Vec::new(); self.joined() as usize];
        for (kind, from, to) in (0..self.relations).map(|relation| self.edge(relation)) {
            out[from as usize].push((to, kind));
        }
        out
    }
}

/// A STIX bundle of about a kilobyte an object; every second one is a relationship.
pub(crate) fn stix(objects: u64) -> String {
    let mut random = Random::new(7);
    let time = "2026-01-01T00:00:00.000Z";
    let mut text = format!("{{\"type\":\"bundle\",\"id\":\"{}\",\"objects\":[", id("bundle", 0));
    for number in 0..objects {
        let words = random.words(if number % 2 == 0 { 110 } else { 70 });
        let mut object =
            json!({"spec_version": "2.1", "created": time, "modified": time, "description": words});
        let more = match number % 2 {
            0 => {
                json!({"type": "malware", "id": id("malware", number), "name": random.words(3), "is_family": false, "aliases": [random.words(1)]})
            }
            _ => json!({
                "type": "relationship", "id": id("relationship", number), "relationship_type": "uses",
                "source_ref": id("malware", number - 1), "target_ref": id("malware", random.below(number) & !1),
            }),
        };
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let comma = if number > 0 { ",\n" } else { "\n" };
        write!(text, "{comma}{object}").unwrap();
    }
    text + "\n]}\n"
}

/// As much again as lines of JSON.
pub(crate) fn jsonl(objects: u64) -> String {
    let mut random = Random::new(8);
    let id = |of: u64| format!("host-{:016x}", mixed(of));
    let mut text = String::new();
    for number in 0..objects {
        let words = random.words(if number % 2 == 0 { 130 } else { 85 });
        let line = match number % 2 {
            0 => json!({
                "id": id(number), "type": "host", "attributes": {"name": random.words(3), "zone": number % 9},
                "texts": [{"text": words}],
            }),
            _ => json!({
                "relation": "knows", "from": id(number - 1), "to": id(random.below(number) & !1),
                "since": "2026-01-01T00:00:00Z", "attributes": {"description": words},
            }),
        };
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// As much again as a table: a name, a number, a time, a word of few, and a text that makes most of it.
pub(crate) fn csv(objects: u64) -> String {
    let mut random = Random::new(9);
    let mut text = String::from("id,name,cores,seen,zone,notes\n");
    for number in 0..objects {
        let (name, words) = (random.words(3), random.words(125));
        let (id, cores, day, zone) = (mixed(number), number % 64, number % 28 + 1, number % 9);
        writeln!(text, "row-{id:016x},{name},{cores},2026-01-{day:02}T12:00:00Z,zone-{zone},\"{words}\"")
            .unwrap();
    }
    text
}

/// A question of some words, each as frequent as it is in the texts.
pub(crate) fn question(turn: u64) -> String {
    let mut random = Random::new(turn + 99);
    let count = 1 + random.below(3);
    random.words(count)
}

pub(crate) fn type_of(turn: u64) -> &'static str {
    TYPES[(turn % 4) as usize]
}

/// Numbers from a seed (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(mixed(seed))
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0) % limit
    }

    pub(crate) fn words(&mut self, count: u64) -> String {
        let words: Vec<_> = (0..count).map(|_| word(self.zipf())).collect();
        words.join(" ")
    }

    /// A rank by Zipf's law.
    fn zipf(&mut self) -> u64 {
        let unit = self.below(1 << 53) as f64 / (1u64 << 53) as f64;
        ((VOCABULARY as f64).powf(unit) as u64).min(VOCABULARY - 1)
    }
}

/// An id as random as ids are.
fn id(kind: &str, of: u64) -> String {
    let (a, b) = (mixed(of), mixed(!of));
    let (head, tail) = (a >> 32, b & 0xffff_ffff_ffff);
    format!("{kind}--{head:08x}-{:04x}-4{:03x}-8{:03x}-{tail:012x}", a >> 16 & 0xffff, a & 0xfff, b >> 52)
}

fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The word of a rank: syllables that no stemmer takes for endings.
fn word(rank: u64) -> String {
    const SYLLABLES: [&str; 16] =
        ["ka", "mo", "ri", "tu", "ve", "so", "na", "pi", "lo", "du", "ge", "ha", "fo", "bi", "ju", "za"];
    let mut word = String::new();
    let mut left = rank + 16;
    while left > 0 {
        word.push_str(SYLLABLES[(left % 16) as usize]);
        left /= 16;
    }
    word
}
