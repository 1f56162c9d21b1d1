//! A small world to test in: one tenant, one source, and short words for what is said.

use std::path::Path;
use std::sync::Arc;

use storage::commands::{Applied, Assert, BeginRun, Command, CreateTenant, Effect, IfEndMissing, SetSource};
use storage::ids::{ActorId, Lsn, RunId, SourceId, TenantId};
use storage::model::{
    Claim, Classification, EdgeSaid, Form, Label, Licence, Part, Purpose, Purposes, Retention, RunBegin,
    Said, SourceSpec, Status, Text,
};
use storage::{Directory, EngineOptions, Options, Result, Stamp, Store, View};

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) source: SourceId,
    pub(crate) time_us: i64,
    _directory: Option<Directory>,
}

impl World {
    pub(crate) fn in_memory() -> World {
        let options = Options {
            engine: EngineOptions::Memory,
            space: None,
            new_node_id: "00112233aabbccdd".to_owned(),
        };
        World::begin(Store::open(options).expect("memory opens"), None)
    }

    pub(crate) fn on_disk(path: &Path) -> World {
        let directory = Directory::hold(path).expect("free directory");
        let store = directory.open_store(8 << 20, "00112233aabbccdd".to_owned()).expect("opens");
        World::begin(store, Some(directory))
    }

    fn begin(store: Store, directory: Option<Directory>) -> World {
        let mut world = World {
            store,
            tenant: TenantId(0),
            source: SourceId(0),
            time_us: 1_000_000,
            _directory: directory,
        };
        world.tenant = match world.view().tenant("default").expect("read") {
            Some(tenant) => tenant,
            None => {
                let create = CreateTenant { name: "default".to_owned(), actor: ActorId::NODE };
                match world.one(Command::CreateTenant(create)) {
                    Effect::Tenant(tenant) => tenant,
                    other => panic!("a tenant was made: {other:?}"),
                }
            }
        };
        let set = SetSource { tenant: world.tenant, actor: ActorId::NODE, spec: source() };
        world.source = match world.one(Command::SetSource(set)) {
            Effect::Source(source) => source,
            other => panic!("a source was made: {other:?}"),
        };
        world
    }

    pub(crate) fn write(&mut self, commands: Vec<Command>) -> Vec<Result<Applied>> {
        self.time_us += 1000;
        let stamp = Stamp { time_us: self.time_us, seed: [7; 32] };
        self.store.write(&commands, stamp).expect("commits").answers
    }

    pub(crate) fn one(&mut self, command: Command) -> Effect {
        self.write(vec![command]).remove(0).expect("not refused").effect
    }

    pub(crate) fn say(&mut self, said: Said) -> Effect {
        let command = self.assert(said);
        self.one(command)
    }

    pub(crate) fn assert(&self, said: Said) -> Command {
        self.assert_if(said, IfEndMissing::Refuse)
    }

    pub(crate) fn assert_if(&self, said: Said, if_end_missing: IfEndMissing) -> Command {
        Command::Assert(Box::new(Assert {
            tenant: self.tenant,
            source: self.source,
            actor: ActorId::NODE,
            purpose: Purpose::ThreatIntel.code(),
            said,
            if_end_missing,
        }))
    }

    pub(crate) fn begin_run(&mut self) -> RunId {
        let begin = RunBegin { process: "import".to_owned(), ..RunBegin::default() };
        let command = BeginRun { tenant: self.tenant, actor: ActorId::NODE, begin };
        match self.one(Command::BeginRun(command)) {
            Effect::Run(run) => run,
            other => panic!("a run began: {other:?}"),
        }
    }

    /// Another source, on the same terms.
    pub(crate) fn declare(&mut self, name: &str) -> SourceId {
        let spec = SourceSpec { name: name.to_owned(), ..source() };
        let set = SetSource { tenant: self.tenant, actor: ActorId::NODE, spec };
        match self.one(Command::SetSource(set)) {
            Effect::Source(source) => source,
            other => panic!("a source was made: {other:?}"),
        }
    }

    pub(crate) fn view(&self) -> View {
        self.store.view().expect("open")
    }

    pub(crate) fn head(&self) -> Lsn {
        self.view().head(self.tenant).expect("read").head()
    }

    pub(crate) fn shown_name(&self, id: &str) -> String {
        let view = self.view();
        let (_, row) = view.thing_by_id(self.tenant, id).expect("read").expect("stored");
        let said = view.assertion(self.tenant, row.said[0].lsn()).expect("read").expect("held");
        said.claim("name").expect("named").to_owned()
    }

    /// Everything that the store promises about itself holds.
    pub(crate) fn check(&self) {
        let report = self.view().verify(&mut |_| ()).expect("readable");
        assert_eq!(report.problems, Vec::<String>::new());
        assert_eq!(report.roots["default"].size, self.head().0);
    }
}

pub(crate) fn source() -> SourceSpec {
    SourceSpec {
        name: "attack".to_owned(),
        purposes: Purposes::from_iter([Purpose::ThreatIntel]),
        licence: Licence::OpenDataOk,
        retention: Retention::Standard365d,
        classification: Classification::Internal,
        personal: false,
    }
}

/// The same, said by another source.
pub(crate) fn of(source: &str, mut said: Said) -> Said {
    for part in &mut said.parts {
        Arc::make_mut(&mut part.label).source = source.to_owned();
    }
    said
}

pub(crate) fn entity(id: &str, thing_type: &str, name: &str) -> Said {
    said(
        id,
        Form::Entity,
        thing_type,
        vec![Claim { name: "name".to_owned(), json: format!("\"{name}\"") }],
        vec![],
    )
}

pub(crate) fn relation(id: &str, kind: &str, from: &str, to: &str) -> Said {
    let edge = EdgeSaid { kind: kind.to_owned(), from: from.to_owned(), to: to.to_owned() };
    said(id, Form::Relation, kind, vec![], vec![edge])
}

fn said(id: &str, form: Form, thing_type: &str, claims: Vec<Claim>, edges: Vec<EdgeSaid>) -> Said {
    let spec = source();
    let label = Label {
        kind: form.into(),
        thing_type: thing_type.to_owned(),
        classification: spec.classification,
        licence: spec.licence,
        purposes: spec.purposes,
        retention: spec.retention,
        personal: false,
        source: spec.name,
        compartments: vec![],
    };
    let texts = vec![Text { text: format!("about {id}"), of_claim: String::new() }];
    Said {
        id: id.to_owned(),
        form,
        thing_type: thing_type.to_owned(),
        base: None,
        tags: vec![],
        status: Status::Active,
        observed_at_us: None,
        version_us: None,
        edges,
        weight: None,
        since: None,
        until: None,
        parts: vec![Part { label: Arc::new(label), claims, texts, embedding: None }],
    }
}
