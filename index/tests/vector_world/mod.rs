//! A world with a vector index that follows it, and an encoder that needs no model.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use index::embed::{Encoder, ModelId};
use index::follower::{self, Limits};
use index::text::{Allowed, TimeRange};
use index::vector::{Filter, Found, Home, Means, Near, Nearest, Report, VectorIndex};
use index::{Error, Result};
use storage::commands::{Command, Delete};
use storage::ids::ActorId;
use storage::model::{Form, Said, Text};

use crate::world::{World, entity};

pub(crate) const GO_ON: &(dyn Fn() -> bool + Sync) = &|| false;
pub(crate) const MEANS: Means = Means { threads: 2, bytes_max: 1 << 30 };

/// Words become vectors: two texts are the nearer the more words they share. A line is a passage.
pub(crate) struct Words {
    model: ModelId,
    pub(crate) encoded: AtomicUsize,
}

impl Words {
    pub(crate) fn new(dimension: usize) -> Arc<Words> {
        let model = ModelId { name: "words".to_owned(), digest: [dimension as u8; 32], dimension };
        Arc::new(Words { model, encoded: AtomicUsize::new(0) })
    }

    pub(crate) fn vector(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.0; self.model.dimension];
        for word in text.split_whitespace() {
            let mut random = Random(word.bytes().fold(7, |sum, byte| sum * 131 + u64::from(byte)));
            vector.iter_mut().for_each(|part| *part += random.centred());
        }
        unit(vector)
    }
}

impl Encoder for Words {
    fn model(&self) -> &ModelId {
        &self.model
    }

    fn encode(&self, text: &str) -> Result<Vec<f32>> {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        let mut vector = self.vector(text);
        match text {
            "no number" => vector[0] = f32::NAN,
            "all zero" => vector.fill(0.0),
            "too short" => drop(vector.pop()),
            "no token" => {
                let (value, limit) = (String::new(), "a word".to_owned());
                return Err(Error::Invalid { what: "nothing to encode", value, limit });
            }
            _ => {}
        }
        Ok(vector)
    }

    fn passages(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let mut from = 0;
        let lines = text.split_inclusive('\n').map(|line| {
            let range = from..from + line.trim_end().len();
            from += line.len();
            range
        });
        lines.filter(|range| !range.is_empty()).collect()
    }
}

pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn centred(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 24) as f32 - 0.5
    }
}

pub(crate) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|part| part * part).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|part| *part /= length.max(f32::MIN_POSITIVE));
    vector
}

/// What is near words.
pub(crate) struct Shelf {
    pub(crate) world: World,
    pub(crate) words: Arc<Words>,
    pub(crate) index: VectorIndex,
}

impl Shelf {
    pub(crate) fn at(home: Home, words: &Arc<Words>) -> Shelf {
        Shelf::of(World::in_memory(), home, words)
    }

    pub(crate) fn of(world: World, home: Home, words: &Arc<Words>) -> Shelf {
        let (index, found) = open(&world, home, words);
        assert_eq!(found, Found::Nothing);
        Shelf { world, words: Arc::clone(words), index }
    }

    pub(crate) fn say(&mut self, said: Said) {
        self.world.say(said);
    }

    pub(crate) fn delete(&mut self, id: &str) {
        let (tenant, id) = (self.world.tenant, id.to_owned());
        self.world.one(Command::Delete(Delete { tenant, actor: ActorId::NODE, id }));
    }

    pub(crate) fn drive(&mut self) {
        drive(&mut self.index, &self.world);
    }

    pub(crate) fn build(&mut self) -> Report {
        build(&mut self.index)
    }

    pub(crate) fn nearest(&self, words: &str, k: usize, filter: &Filter<'_>) -> Nearest {
        let pinned = self.index.reader().pin();
        pinned.nearest(&self.words.vector(words), k, filter, GO_ON).expect("answers")
    }

    pub(crate) fn found(&self, words: &str) -> Vec<String> {
        let nearest = self.nearest(words, 5, &everything());
        nearest.near.iter().filter(|near| near.cosine > 0.5).map(|near| self.id(near)).collect()
    }

    pub(crate) fn id(&self, near: &Near) -> String {
        self.world.view().thing(self.world.tenant, near.thing).expect("stored").id
    }
}

pub(crate) fn open(world: &World, home: Home, words: &Arc<Words>) -> (VectorIndex, Found) {
    let origin = world.view().origin(world.tenant).expect("read");
    let encoder: Arc<dyn Encoder> = Arc::clone(words) as Arc<dyn Encoder>;
    VectorIndex::open(home, world.tenant, &origin, encoder).expect("opens")
}

pub(crate) fn drive(index: &mut VectorIndex, world: &World) {
    let view = world.view();
    while !follower::drive(index, &view, Limits::default(), GO_ON).expect("drives").is_current() {}
}

pub(crate) fn build(index: &mut VectorIndex) -> Report {
    let built = index.begin_build().run(MEANS, GO_ON, &|_, _| ()).expect("builds");
    let report = built.report.clone();
    index.adopt(built).expect("adopts");
    report
}

pub(crate) fn everything() -> Filter<'static> {
    Filter { labels: &Allowed::Every, form: None, time: None, include_revoked: true }
}

pub(crate) fn narrowed(labels: &Allowed, form: Option<Form>, time: Option<TimeRange>) -> Filter<'_> {
    Filter { labels, form, time, include_revoked: false }
}

/// An entity whose only text is this, and which has no name.
pub(crate) fn text_of(id: &str, text: &str) -> Said {
    let mut said = entity(id, "report", "");
    said.parts[0].claims.clear();
    said.parts[0].texts = vec![Text { text: text.to_owned(), of_claim: String::new() }];
    said
}

/// As [`text_of`], under a label of its own.
pub(crate) fn labelled(id: &str, text: &str, compartment: &str) -> Said {
    let mut said = text_of(id, text);
    let mut label = said.parts[0].label.as_ref().clone();
    label.compartments = vec![compartment.to_owned()];
    said.parts[0].label = Arc::new(label);
    said
}
