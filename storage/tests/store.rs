//! What a store promises to those who write to it and read from it.

#[allow(dead_code, reason = "several tests build on it, and none needs all of it")]
mod world;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storage::commands::{
    Command, CreateTenant, CreateToken, Effect, IfEndMissing, MakeLink, RevokeToken, Seen, SignIn,
};
use storage::ids::{ActorId, Lsn, SymbolId, TenantId, ThingId};
use storage::model::{Classification, LINKS_MAX, Purposes, Retention, Role, SESSIONS_MAX, Status, TokenSpec};
use storage::record::{Content, Record};
use storage::rows::TokenRow;
use storage::{Directory, Edge, End, Error, ErrorKind, Stamp, View};
use world::{World, entity, relation};

#[test]
fn what_was_said_is_there_after_reopening() {
    let directory = tempfile::tempdir().expect("tempdir");
    {
        let mut world = World::on_disk(directory.path());
        world.say(entity("a", "malware", "Duqu"));
        world.say(entity("b", "tool", "Mimikatz"));
        world.say(relation("r", "uses", "a", "b"));
        world.check();
    }
    let world = World::on_disk(directory.path());
    let view = world.view();
    let (thing, row) = view.thing_by_id(world.tenant, "a").expect("read").expect("stored");
    let said = view.assertion(world.tenant, row.said[0].lsn()).expect("read").expect("held");
    assert_eq!(said.claim("name"), Some("\"Duqu\""));
    let mut edges = Vec::new();
    view.edges(world.tenant, thing, End::Out, None, None, &mut |edge| {
        edges.push(view.thing(world.tenant, edge.other)?.id);
        Ok(std::ops::ControlFlow::Continue(()))
    })
    .expect("read");
    assert_eq!(edges, ["b"]);
    world.check();
}

#[test]
fn saying_it_again_writes_no_record() {
    let mut world = World::in_memory();
    assert_eq!(world.say(entity("a", "malware", "Duqu")), Effect::Created);
    let head = world.head();
    assert_eq!(world.say(entity("a", "malware", "Duqu")), Effect::Unchanged);
    assert_eq!(world.head(), head);
    assert_eq!(world.say(entity("a", "malware", "Duqu 2")), Effect::Updated);
    assert_eq!(world.head(), head.next());
    let thing = world.view().thing_by_id(world.tenant, "a").expect("read").expect("stored").0;
    assert_eq!(world.view().before(world.tenant, thing).expect("read").len(), 1);
    world.check();
}

#[test]
fn an_older_version_never_replaces_a_newer_one() {
    let mut world = World::in_memory();
    let version = |name: &str, version_us| {
        let mut said = entity("a", "malware", name);
        said.version_us = Some(version_us);
        said
    };
    world.say(version("new", 2));
    assert_eq!(world.say(version("old", 1)), Effect::Unchanged);
    assert_eq!(world.shown_name("a"), "\"new\"");
    assert_eq!(world.say(version("newer", 3)), Effect::Updated);
    assert_eq!(world.shown_name("a"), "\"newer\"");
}

#[test]
fn a_revoked_thing_is_kept() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let mut revoked = entity("a", "malware", "Duqu");
    revoked.status = Status::Revoked;
    assert_eq!(world.say(revoked), Effect::Updated);
    let (_, row) = world.view().thing_by_id(world.tenant, "a").expect("read").expect("kept");
    assert!(!row.said[0].is_active());
}

#[test]
fn a_refused_command_leaves_no_trace_and_the_others_are_committed() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let answers = world.write(vec![
        world.assert(entity("b", "tool", "Mimikatz")),
        world.assert(entity("a", "tool", "Duqu")),
        world.assert(relation("r", "uses", "a", "nobody")),
        world.assert(entity("", "tool", "x")),
        world.assert(relation("r2", "uses", "a", "b")),
    ]);
    assert!(matches!(&answers[1], Err(Error::TypeConflict { id, .. }) if id == "a"));
    assert!(matches!(&answers[2], Err(Error::EndMissing { end }) if end == "nobody"));
    assert_eq!(answers[3].as_ref().map_err(Error::kind), Err(ErrorKind::Invalid));
    assert!(answers[0].is_ok() && answers[4].is_ok());
    world.check();
}

#[test]
fn a_relation_may_wait_for_its_ends() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let run = world.begin_run();
    let pend = IfEndMissing::Pend { run, input: 0, line: 7, number: 1 };
    let early = world.assert_if(relation("r", "uses", "a", "b"), pend);
    assert_eq!(world.one(early), Effect::Pending);
    let pending = world.view().pending(world.tenant, run, 0, 10).expect("read");
    assert_eq!((pending.len(), pending[0].1.line), (1, 7));
    world.check();
}

#[test]
fn a_second_process_is_told_who_holds_the_directory() {
    let directory = tempfile::tempdir().expect("tempdir");
    let _held = Directory::hold(directory.path()).expect("free");
    let refused = Directory::hold(directory.path()).expect_err("held");
    assert!(matches!(refused, Error::InUse { pid, .. } if pid == std::process::id()));
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("tempdir");
    std::fs::write(directory.path().join("format"), "intelgraph data format 99\n").expect("write");
    let refused = Directory::hold(directory.path()).expect_err("newer");
    assert!(matches!(refused, Error::NewerFormat { found: 99, .. }));
}

#[test]
fn deleting_and_restoring_are_records() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    let before = world.head();
    let (tenant, actor) = (world.tenant, storage::ids::ActorId::NODE);
    let delete = || Command::Delete(storage::commands::Delete { tenant, actor, id: "a".to_owned() });
    assert!(world.write(vec![delete()])[0].is_ok());
    assert!(world.view().thing_by_id(tenant, "a").expect("read").expect("kept").1.is_deleted());
    assert_eq!(world.head(), Lsn(before.0 + 1));
    assert_eq!(world.one(delete()), Effect::Unchanged);
    let restore = Command::Restore(storage::commands::Restore { tenant, actor, id: "a".to_owned() });
    assert!(world.write(vec![restore])[0].is_ok());
    assert!(!world.view().thing_by_id(tenant, "a").expect("read").expect("kept").1.is_deleted());
    world.check();
}

#[test]
fn a_reader_in_the_middle_of_a_scan_does_not_hold_up_a_reopening() {
    let directory = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(directory.path());
    world.say(entity("a", "malware", "Duqu"));
    let (view, store, tenant) = (world.view(), &world.store, world.tenant);
    std::thread::scope(|scope| {
        let scanned = view.things(tenant, &mut |thing, _| {
            let reopening = scope.spawn(|| store.reopen());
            while view.thing(tenant, thing).is_ok() {
                std::thread::yield_now();
            }
            reopening.join().expect("no panic")?;
            view.thing(tenant, thing)?;
            Ok(std::ops::ControlFlow::Continue(()))
        });
        assert!(matches!(scanned, Err(Error::Poisoned { .. })), "{scanned:?}");
    });
    world.say(entity("b", "malware", "Flame"));
    world.check();
}

#[test]
fn a_store_that_was_used_is_never_begun_anew() {
    let directory = tempfile::tempdir().expect("tempdir");
    drop(World::on_disk(directory.path()));
    let database = directory.path().join("store.redb");
    std::fs::remove_file(&database).expect("there");
    let held = Directory::hold(directory.path()).expect("free");
    let refused = held.open_store(1 << 20, "00112233aabbccdd".to_owned());
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
    assert!(!database.exists());
}

#[test]
fn a_first_start_that_was_cut_off_begins_again() {
    let directory = tempfile::tempdir().expect("tempdir");
    std::fs::write(directory.path().join("store.new"), [0; 4096]).expect("left behind");
    let mut world = World::on_disk(directory.path());
    world.say(entity("a", "malware", "Duqu"));
    world.check();
}

/// Things are numbered from 1, and at 255 a byte of their keys ends.
#[test]
fn a_thing_has_its_own_edges_and_its_own_past() {
    let mut world = World::in_memory();
    let id = |n: u64| format!("t{n}");
    let things: Vec<_> = (1..=520).map(|n| world.assert(entity(&id(n), "malware", "first"))).collect();
    world.write(things);
    let ring: Vec<_> = (1..=520)
        .map(|n| world.assert(relation(&format!("r{n}"), "uses", &id(n), &id(n % 520 + 1))))
        .chain((1..=520).map(|n| world.assert(entity(&id(n), "malware", "second"))))
        .collect();
    assert!(world.write(ring).iter().all(Result::is_ok));
    let view = world.view();
    for n in 1..=520 {
        let out = edges(&view, world.tenant, ThingId(n), None, None);
        assert_eq!(out.iter().map(|edge| edge.other.0).collect::<Vec<_>>(), [n % 520 + 1], "of {n}");
        assert_eq!(view.before(world.tenant, ThingId(n)).expect("read").len(), 1, "of {n}");
    }
}

#[test]
fn a_page_of_edges_goes_on_behind_the_last_and_within_its_kind() {
    let mut world = World::in_memory();
    world.say(entity("a", "malware", "Duqu"));
    for n in 0..9 {
        world.say(relation(&format!("r{n}"), ["drops", "targets", "uses"][n / 3], "a", "a"));
    }
    let (view, tenant) = (world.view(), world.tenant);
    let (thing, _) = view.thing_by_id(tenant, "a").expect("read").expect("stored");
    let all = edges(&view, tenant, thing, None, None);
    assert_eq!(all.len(), 9);
    for (place, after) in all.iter().enumerate() {
        assert_eq!(edges(&view, tenant, thing, None, Some(*after)), all[place + 1..]);
        for kind in all.iter().map(|edge| edge.kind) {
            let own = all[place + 1..].iter().filter(|edge| edge.kind == kind).copied();
            let found = edges(&view, tenant, thing, Some(kind), Some(*after));
            assert_eq!(found, own.collect::<Vec<_>>(), "of kind {kind} behind {after:?}");
        }
    }
}

fn edges(
    view: &View,
    tenant: TenantId,
    thing: ThingId,
    kind: Option<SymbolId>,
    after: Option<Edge>,
) -> Vec<Edge> {
    let mut edges = Vec::new();
    view.edges(tenant, thing, End::Out, kind, after, &mut |edge| {
        edges.push(edge);
        Ok(ControlFlow::Continue(()))
    })
    .expect("read");
    edges
}

/// However many ask for a view while a commit is under way.
#[test]
fn who_was_answered_sees_what_was_done() {
    let directory = tempfile::tempdir().expect("tempdir");
    let world = World::on_disk(directory.path());
    let (store, done) = (&world.store, AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.view().expect("open");
            }
        });
        // However this ends: who is waited for must end, too.
        let done = SetWhenDropped(&done);
        let late = (0..40i64).find(|n| {
            let stamp = Stamp { time_us: world.time_us + n, seed: [7; 32] };
            let said = world.assert(entity(&format!("t{n}"), "malware", "x"));
            let answered = store.write(&[said], stamp).expect("commits").answers.remove(0).expect("said").lsn;
            world.head() < answered
        });
        drop(done);
        assert_eq!(late, None, "a view that does not hold what was answered");
    });
}

/// However often the database takes in what only the journal had.
#[test]
fn what_was_seen_stays_to_be_seen() {
    let directory = tempfile::tempdir().expect("tempdir");
    let mut world = World::on_disk(directory.path());
    world.say(entity("t", "malware", "x"));
    let (store, tenant, done) = (&world.store, world.tenant, AtomicBool::new(false));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = Vec::new();
            while !done.load(Ordering::Relaxed) {
                seen.push(store.view().expect("open").head(tenant).expect("read").head());
            }
            seen
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.take_in().expect("takes it in");
            }
        });
        let set = SetWhenDropped(&done);
        for n in 0..40i64 {
            let stamp = Stamp { time_us: world.time_us + n, seed: [7; 32] };
            store.write(&[world.assert(entity(&format!("t{n}"), "malware", "x"))], stamp).expect("commits");
            if n % 4 == 0 {
                store.settle().expect("takes in all");
            }
        }
        drop(set);
        assert!(reader.join().expect("reads").is_sorted(), "the log shrank");
    });
    world.check();
}

struct SetWhenDropped<'a>(&'a AtomicBool);

impl Drop for SetWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What an erased body leaves is a digest, and nobody can guess the body from it by the salt of a neighbour.
#[test]
fn no_two_records_share_a_salt() {
    let mut world = World::in_memory();
    let create =
        |name: &str| Command::CreateTenant(CreateTenant { name: name.to_owned(), actor: ActorId::NODE });
    let (a, b) = (world.assert(entity("a", "tool", "x")), world.assert(entity("b", "tool", "x")));
    world.write(vec![create("one"), create("two"), a, b]);
    let mut salts = Vec::new();
    for (tenant, _) in world.view().tenants().expect("read") {
        for record in records(&world, tenant).into_iter().filter(|record| record.time_us == world.time_us) {
            let Content::Held { salt, .. } = record.content else { panic!("held") };
            salts.push(salt);
        }
    }
    assert_eq!(salts.iter().collect::<BTreeSet<_>>().len(), salts.len());
    assert!(salts.len() >= 4, "of one batch");
}

#[test]
fn each_part_is_kept_as_long_as_its_own_label_says() {
    let mut world = World::in_memory();
    let mut said = entity("a", "malware", "Duqu");
    let mut part = said.parts[0].clone();
    Arc::make_mut(&mut part.label).retention = Retention::Short30d;
    said.parts.push(part);
    world.say(said);
    let (_, row) = world.view().thing_by_id(world.tenant, "a").expect("read").expect("stored");
    let records = records(&world, world.tenant);
    for said in &row.said {
        let label = world.view().label(world.tenant, said.label()).expect("read");
        assert_eq!(records[said.lsn().leaf_index() as usize].header[30], label.retention.code());
    }
    assert_eq!(row.said.len(), 2);
}

fn records(world: &World, tenant: TenantId) -> Vec<Record> {
    let mut records = Vec::new();
    world
        .view()
        .records(tenant, Lsn::FIRST, &mut |record| {
            records.push(record);
            Ok(ControlFlow::Continue(()))
        })
        .expect("read");
    records
}

const HOUR_US: i64 = 3_600_000_000;
const TOKEN: &str = "0001020304";

/// A world with a token that is good for 30 days.
fn with_token() -> World {
    let mut world = World::in_memory();
    let spec = TokenSpec {
        id: TOKEN.to_owned(),
        secret_sha256: [9; 32],
        role: Role::Reader,
        clearance: Classification::Public,
        purposes: Purposes::ALL,
        scopes: Vec::new(),
        expires_at_us: world.time_us + 30 * 24 * HOUR_US,
    };
    world.one(Command::CreateToken(CreateToken { tenant: world.tenant, actor: ActorId(7), spec }));
    world
}

fn row(world: &World) -> TokenRow {
    world.view().token(TOKEN).expect("read").expect("a token")
}

fn sign_in(world: &mut World, code: Option<u8>, session: u8) -> storage::Result<storage::commands::Applied> {
    let (code_sha256, session_sha256) = (code.map(|code| [code; 32]), [session; 32]);
    let sign_in = Command::SignIn(SignIn {
        tenant: world.tenant,
        token: TOKEN.to_owned(),
        code_sha256,
        session_sha256,
    });
    world.write(vec![sign_in]).remove(0)
}

fn make_link(world: &mut World, code: u8) {
    let (tenant, token, actor) = (world.tenant, TOKEN.to_owned(), ActorId(7));
    let expires_us = world.time_us + HOUR_US;
    world.one(Command::MakeLink(MakeLink { tenant, actor, token, code_sha256: [code; 32], expires_us }));
}

#[test]
fn a_session_lasts_twelve_hours_unused_and_a_week_in_all() {
    let mut world = with_token();
    let began_us = world.time_us;
    sign_in(&mut world, None, 1).expect("a session");
    let session = row(&world).sessions[0].clone();
    assert!(
        session.is_live(began_us + 12 * HOUR_US - HOUR_US)
            && !session.is_live(session.seen_us + 12 * HOUR_US)
    );

    let head = world.head();
    let seen = |world: &mut World, hours: i64| {
        world.time_us = began_us + hours * HOUR_US;
        let (tenant, token, session_sha256) = (world.tenant, TOKEN.to_owned(), Some([1; 32]));
        world.one(Command::Seen(Seen { tenant, token, session_sha256 }))
    };
    for hours in (11..7 * 24).step_by(11) {
        assert_eq!(seen(&mut world, hours), Effect::Done);
        assert_eq!(seen(&mut world, hours), Effect::Unchanged, "nobody writes that twice in ten minutes");
    }
    assert_eq!(world.head(), head, "reading leaves no record");
    let session = row(&world).sessions[0].clone();
    assert!(session.is_live(session.ends_us - 1) && !session.is_live(session.ends_us));
    assert!(session.ends_us - began_us <= 7 * 24 * HOUR_US + HOUR_US);
    // What has ended is not used again.
    seen(&mut world, 8 * 24);
    assert!(!row(&world).sessions[0].is_live(world.time_us));
    world.check();
}

#[test]
fn a_session_ends_no_later_than_its_token() {
    let mut world = with_token();
    world.time_us += 29 * 24 * HOUR_US;
    sign_in(&mut world, None, 1).expect("a session");
    let (row, head) = (row(&world), world.head());
    let spec = TokenSpec::decode(&row.spec).expect("a declaration");
    assert_eq!(row.sessions[0].ends_us, spec.expires_at_us);
    world.time_us = spec.expires_at_us;
    assert_eq!(sign_in(&mut world, None, 2).map_err(|error| error.kind()), Err(ErrorKind::NotFound));
    assert_eq!(world.head(), head);
}

#[test]
fn a_link_opens_one_session_before_it_expires() {
    let mut world = with_token();
    make_link(&mut world, 1);
    make_link(&mut world, 2);
    let refused = |world: &mut World, code| sign_in(world, Some(code), 9).expect_err("no such link").kind();
    assert_eq!(refused(&mut world, 3), ErrorKind::NotFound);
    sign_in(&mut world, Some(1), 1).expect("a session");
    assert_eq!(refused(&mut world, 1), ErrorKind::NotFound);
    world.time_us += HOUR_US;
    assert_eq!(refused(&mut world, 2), ErrorKind::NotFound);
    assert_eq!(row(&world).sessions.len(), 1);
    world.check();
}

#[test]
fn links_and_sessions_are_few_and_end_with_the_token() {
    let mut world = with_token();
    for n in 0..=LINKS_MAX {
        make_link(&mut world, n as u8);
    }
    assert_eq!(sign_in(&mut world, Some(0), 0).expect_err("gave way").kind(), ErrorKind::NotFound);
    for n in 0..=SESSIONS_MAX {
        world.time_us += 1_000_000;
        sign_in(&mut world, None, n as u8).expect("a session");
    }
    let (links, sessions) = (row(&world).links, row(&world).sessions);
    assert_eq!((links.len(), sessions.len()), (LINKS_MAX, SESSIONS_MAX));
    assert_eq!(sessions[0].secret_sha256, [1; 32], "the first was not used for longest");
    let (tenant, actor) = (world.tenant, ActorId(7));
    world.one(Command::RevokeToken(RevokeToken { tenant, actor, id: TOKEN.to_owned() }));
    assert_eq!((row(&world).links, row(&world).sessions), (Vec::new(), Vec::new()));
    assert_eq!(sign_in(&mut world, None, 1).expect_err("revoked").kind(), ErrorKind::NotFound);
    world.check();
}
