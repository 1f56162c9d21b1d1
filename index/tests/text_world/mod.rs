//! A world with a text index that follows it.

use std::sync::Arc;

use index::follower::{self, Limits};
use index::text::{Allowed, Found, Hits, Home, Pinned, Query, Reader, TextIndex};
use roaring::RoaringBitmap;
use storage::commands::{Command, Delete, Restore};
use storage::ids::ActorId;
use storage::model::{Said, Text};

use crate::world::{World, entity};

pub(crate) struct Library {
    pub(crate) world: World,
    pub(crate) text: TextIndex,
    reader: Reader,
}

impl Library {
    pub(crate) fn new() -> Library {
        Library::at(Home::memory()).0
    }

    pub(crate) fn at(home: Home) -> (Library, Found) {
        let world = World::in_memory();
        let (text, found) = open(&world, home);
        let reader = text.reader();
        (Library { world, text, reader }, found)
    }

    pub(crate) fn say(&mut self, said: Said) {
        self.world.say(said);
    }

    pub(crate) fn delete(&mut self, id: &str) {
        let (tenant, id) = (self.world.tenant, id.to_owned());
        self.world.one(Command::Delete(Delete { tenant, actor: ActorId::NODE, id }));
    }

    pub(crate) fn restore(&mut self, id: &str) {
        let (tenant, id) = (self.world.tenant, id.to_owned());
        self.world.one(Command::Restore(Restore { tenant, actor: ActorId::NODE, id }));
    }

    /// Takes in everything that was said.
    pub(crate) fn drive(&mut self) {
        drive(&mut self.text, &self.world);
    }

    pub(crate) fn pin(&self) -> Pinned {
        self.reader.pin()
    }

    pub(crate) fn query(&self, text: &str) -> Query {
        Query { text: text.to_owned(), limit: 50, ..Query::default() }
    }

    pub(crate) fn found(&mut self, text: &str) -> Vec<String> {
        let query = self.query(text);
        self.found_by(&query)
    }

    pub(crate) fn found_by(&mut self, query: &Query) -> Vec<String> {
        let hits = self.ask(query, &Allowed::Every);
        self.ids(&hits)
    }

    pub(crate) fn ask(&mut self, query: &Query, allowed: &Allowed) -> Hits {
        self.drive();
        self.pin().search(query, allowed, &|| false).expect("answers")
    }

    pub(crate) fn ask_after(&mut self, query: &Query, page: &Hits, allowed: &Allowed) -> Hits {
        self.ask(&Query { after: page.next, ..query.clone() }, allowed)
    }

    pub(crate) fn found_as(&mut self, text: &str, allowed: &Allowed) -> Vec<String> {
        let hits = self.ask(&self.query(text), allowed);
        self.ids(&hits)
    }

    pub(crate) fn ask_pinned(&self, pinned: &Pinned, query: &Query) -> Hits {
        pinned.search(query, &Allowed::Every, &|| false).expect("answers")
    }

    pub(crate) fn suggested(&mut self, prefix: &str, allowed: &Allowed) -> Vec<String> {
        self.drive();
        let found = self.pin().suggest(prefix, 10, allowed).expect("answers");
        found.iter().map(|suggestion| self.id(suggestion.thing)).collect()
    }

    pub(crate) fn ids(&self, hits: &Hits) -> Vec<String> {
        hits.hits.iter().map(|hit| self.id(hit.thing)).collect()
    }

    pub(crate) fn labels_of(&mut self, id: &str) -> Allowed {
        let (_, row) = self.world.view().thing_by_id(self.world.tenant, id).expect("read").expect("stored");
        let labels: RoaringBitmap = row.said.iter().map(|said| said.label).collect();
        Allowed::Labels(Arc::new(labels))
    }

    pub(crate) fn passages(&self, id: &str) -> Vec<String> {
        let view = self.world.view();
        let (_, row) = view.thing_by_id(self.world.tenant, id).expect("read").expect("stored");
        let assertion = view.assertion(self.world.tenant, row.said[0].lsn()).expect("read").expect("held");
        index::text::passages(&assertion)
    }

    pub(crate) fn id(&self, thing: storage::ids::ThingId) -> String {
        self.world.view().thing(self.world.tenant, thing).expect("stored").id
    }
}

pub(crate) fn open(world: &World, home: Home) -> (TextIndex, Found) {
    let origin = world.view().origin(world.tenant).expect("read");
    TextIndex::open(home, world.tenant, &origin).expect("opens")
}

pub(crate) fn drive(text: &mut TextIndex, world: &World) {
    let view = world.view();
    while !follower::drive(text, &view, Limits::default(), &|| false).expect("drives").is_current() {}
}

pub(crate) fn text_of(id: &str, name: &str, text: &str) -> Said {
    let mut said = entity(id, "report", name);
    said.parts[0].texts = vec![Text { text: text.to_owned(), of_claim: String::new() }];
    said
}

/// As [`text_of`], under a label of its own.
pub(crate) fn labelled(id: &str, name: &str, text: &str, compartment: &str) -> Said {
    let mut said = text_of(id, name, text);
    let mut label = said.parts[0].label.as_ref().clone();
    label.compartments = vec![compartment.to_owned()];
    said.parts[0].label = Arc::new(label);
    said
}
