use std::fs;

use storage::ids::LabelId;
use storage::model::{Label, Role};
use storage::{EngineOptions, Options, Store, View};

use super::super::examples::{HERE, a, open_label};
use super::segment::Segments;
use super::*;
use crate::policy::{Allowed, AllowedCache, KnownLabels, Resource, Versions};

#[test]
fn equal_decisions_are_counted_and_others_told_apart() {
    let world = World::new();
    let reader = a(Role::Reader);
    for _ in 0..3 {
        world.uses(&reader).used(Action::EntityRead, &world.allowed, LabelId(1));
    }
    world.uses(&reader).used(Action::EntityRead, &world.allowed, LabelId(2));
    world.uses(&a(Role::Admin)).used(Action::EntityRead, &world.allowed, LabelId(1));
    world.log.note(
        &reader,
        &world.in_force,
        Action::TokenManage,
        world.on_tenant(&reader, Action::TokenManage),
    );
    world.write();
    let page = world.page(&Wanted::default(), None, 10);
    let mut told: Vec<_> = page
        .entries
        .iter()
        .map(|(_, entry)| (entry.role.as_str(), entry.on, entry.allowed, entry.count))
        .collect();
    told.sort_by_key(|told| (told.0, told.3));
    let expected = [
        ("admin", On::Label(1), true, 1),
        ("reader", On::Label(2), false, 1),
        ("reader", On::Tenant, false, 1),
        ("reader", On::Label(1), true, 3),
    ];
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(expected.iter().all(|expected| told.contains(expected)), "{told:?}");
    let allowed = page.entries.iter().find(|(_, entry)| entry.count == 3).map(|(_, entry)| entry).unwrap();
    assert_eq!(allowed.because, ["readers-read"]);
    assert_eq!(allowed.attributes().unwrap(), reader.attributes());
    // Denials are in front on disk, so they come last when the newest is told first.
    let denied: Vec<_> = page.entries.iter().map(|(_, entry)| !entry.allowed).collect();
    assert!(denied.is_sorted(), "{denied:?}");
}

/// Equal decisions are one entry, which still leads to the requests that asked.
#[test]
fn decisions_name_the_requests_that_asked_and_old_files_do_without() {
    let world = World::new();
    let by = |request: &str| Principal { request: Some(request.into()), ..a(Role::Reader) };
    for n in 0..20 {
        let uses = world.uses(&by(&format!("request-{}", n / 2)));
        uses.used(Action::EntityRead, &world.allowed, LabelId(1));
    }
    world.write();
    let path = world.log.directory_of(HERE).join("00000001.log");
    let named = |request: &str| {
        world.page(&Wanted { request: Some(request.to_owned()), ..Wanted::default() }, None, 9)
    };
    let entry = named("request-7").entries.remove(0).1;
    assert_eq!((entry.count, entry.requests.len()), (20, REQUESTS_NAMED_MAX));
    assert!(named("request-8").entries.is_empty(), "not among the first");

    // As format 1 wrote it.
    let text = fs::read_to_string(&path).unwrap();
    let old: String = text
        .lines()
        .map(|line| {
            let mut json: serde_json::Value = serde_json::from_str(&line[9..]).unwrap();
            json.as_object_mut().unwrap().shift_remove("requests");
            if let Some(format) = json.get_mut("format") {
                *format = 1.into();
            }
            let json = json.to_string();
            format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes()))
        })
        .collect();
    fs::write(&path, &old).unwrap();
    world.uses(&by("another")).used(Action::EntityRead, &world.allowed, LabelId(2));
    world.write();
    assert_eq!(fs::read_to_string(&path).unwrap(), old, "an old file is not added to");
    let page = world.page(&Wanted::default(), None, 9);
    let requests: Vec<_> = page.entries.iter().map(|(_, entry)| entry.requests.as_slice()).collect();
    assert_eq!((requests, page.damaged), (vec![&["another".to_owned()][..], &[]], vec![]));
}

#[test]
fn what_was_used_adds_up_over_files() {
    let world = World::new();
    let reader = a(Role::Reader);
    for hour in 0..3 {
        world.uses(&reader).used(Action::EntityRead, &world.allowed, LabelId(1));
        world.uses(&reader).filtered(Action::EntitySearch, &world.allowed);
        world.write_at(hour * 3_600_000_000);
    }
    assert_eq!(segment::numbers(&world.log.directory_of(HERE)).unwrap(), [1, 2, 3], "one an hour");
    let used = world.log.used(&world.view, HERE).unwrap();
    let count = |action, label, allowed| used.count(&reader.attributes(), action, label, allowed);
    assert_eq!(count(Action::EntityRead, Some(LabelId(1)), true), 3);
    assert_eq!(count(Action::EntityRead, Some(LabelId(1)), false), 0);
    assert_eq!(count(Action::EntitySearch, None, true), 0, "a filter is no use of a label");
    // Page by page, newest first, nothing twice and nothing missed.
    let (mut places, mut before) = (Vec::new(), None);
    loop {
        let page = world.page(&Wanted::default(), before, 2);
        places.extend(page.entries.iter().map(|(place, _)| *place));
        before = places.last().copied();
        if !page.more {
            break;
        }
    }
    assert_eq!(places.len(), 6);
    assert!(places.is_sorted_by(|a, b| a > b), "{places:?}");
    let entry = world.log.entry(&world.view, HERE, places[0]).unwrap();
    assert!(entry.is_some_and(|entry| entry.token == reader.token_id));
    assert_eq!(world.log.entry(&world.view, HERE, Place { segment: 9, line: 9 }).unwrap(), None);
}

#[test]
fn a_damaged_line_is_named_and_left_out() {
    let world = World::new();
    for label in [1, 2] {
        world.uses(&a(Role::Reader)).used(Action::EntityRead, &world.allowed, LabelId(label));
        world.write();
    }
    let path = world.log.directory_of(HERE).join("00000001.log");
    let whole = fs::read(&path).unwrap();
    // Not the last: a line without an end is one that is being written.
    for at in 0..whole.len() - 1 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x04;
        fs::write(&path, damaged).unwrap();
        let page = world.page(&Wanted::default(), None, 10);
        let found = page.entries.len() + page.damaged.len();
        assert!(!page.damaged.is_empty() && (1..=3).contains(&found), "{at}: {page:?}");
        assert!(page.damaged[0].starts_with("decisions 1, line "), "{at}: {page:?}");
    }
    fs::write(&path, b"\xff\xfe\n\n00000000 {}\n").unwrap();
    assert_eq!(world.page(&Wanted::default(), None, 10).damaged.len(), 3);
}

#[test]
fn a_line_that_was_cut_off_is_taken_off() {
    let world = World::new();
    world.uses(&a(Role::Reader)).used(Action::EntityRead, &world.allowed, LabelId(1));
    world.write();
    let path = world.log.directory_of(HERE).join("00000001.log");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [whole.as_slice(), b"0badc0de {\"first_us\":12"].concat()).unwrap();
    assert_eq!(world.page(&Wanted::default(), None, 10).damaged, Vec::<String>::new());
    world.uses(&a(Role::Reader)).used(Action::EntityRead, &world.allowed, LabelId(2));
    world.write();
    let page = world.page(&Wanted::default(), None, 10);
    assert_eq!((page.entries.len(), page.damaged), (2, vec![]));
    // A file without a head is left as it is, and a new one begun.
    fs::write(&path, &whole[..20]).unwrap();
    world.uses(&a(Role::Reader)).used(Action::EntityRead, &world.allowed, LabelId(2));
    world.write();
    assert_eq!(segment::numbers(&world.log.directory_of(HERE)).unwrap(), [1, 2]);
    assert_eq!(world.page(&Wanted::default(), None, 10).entries.len(), 1);
}

#[test]
fn files_are_closed_by_size_and_age_and_the_oldest_goes() {
    let directory = tempfile::tempdir().unwrap();
    let mut segments = Segments::new(directory.path().to_owned());
    let world = World::new();
    world.uses(&a(Role::Reader)).used(Action::EntityRead, &world.allowed, LabelId(1));
    world.write();
    let (_, entry) = world.page(&Wanted::default(), None, 1).entries.remove(0);
    let many = vec![entry.clone(); (SEGMENT_BYTES_MAX as usize).div_ceil(300)];
    segments.append(&many, 0).unwrap();
    assert_eq!(segments.closed(0).unwrap(), [1], "it is large");
    segments.append(std::slice::from_ref(&entry), 1).unwrap();
    assert_eq!(segments.closed(2).unwrap(), [1]);
    assert_eq!(segments.closed(3_600_000_001).unwrap(), [1, 2], "an hour has passed");
    for hour in 1..70 {
        segments.append(std::slice::from_ref(&entry), hour * 3_600_000_001).unwrap();
    }
    segments.retire(&|number| number != 3).unwrap();
    let kept = segment::numbers(directory.path()).unwrap();
    assert_eq!((kept.first(), kept.last()), (Some(&3), Some(&71)), "what the ledger has not stays");
    assert_eq!(kept.len(), SEGMENTS_MAX + 1);
}

#[test]
fn denials_have_room_when_nothing_else_has() {
    let mut waiting = Waiting::default();
    let who =
        |n: usize, world: &World| Who { token: n.to_string(), ..Who::of(&a(Role::Reader), &world.in_force) };
    let world = World::new();
    let decision = |allowed| Arc::new(Decision { allowed, policies: vec![] });
    let made = |allowed| Made { decision: decision(allowed), count: 1, requests: vec![] };
    let mut add =
        |n, allowed| waiting.add(&who(n, &world), (Action::EntityRead, On::Tenant), made(allowed), 0);
    assert!((0..WAITING_MAX).all(|n| add(n, true)));
    assert!(!add(WAITING_MAX, true), "there is no room for another allowed one");
    assert!(add(0, true), "one that is there is counted");
    assert!((WAITING_MAX..2 * WAITING_MAX).all(|n| add(n, false)));
    assert!(!add(2 * WAITING_MAX, false));
}

/// A log, a store without a policy, and a reader of whose two labels the first may be read.
struct World {
    log: Arc<DecisionLog>,
    view: View,
    in_force: InForce,
    allowed: Arc<Allowed>,
    _directory: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let options = Options {
            engine: EngineOptions::Memory,
            space: None,
            new_node_id: "00112233aabbccdd".to_owned(),
        };
        let view = Store::open(options).unwrap().view().unwrap();
        let in_force = Versions::default().in_force(&view, HERE).unwrap();
        let secret = Label { classification: storage::model::Classification::Secret, ..open_label() };
        let labels = [(LabelId(1), open_label()), (LabelId(2), secret)];
        let known = KnownLabels { tenant: HERE, version: 0, labels: &labels };
        let allowed =
            AllowedCache::default().allowed(&in_force.policy, &a(Role::Reader), Action::EntityRead, known);
        let directory = tempfile::tempdir().unwrap();
        let log = Arc::new(DecisionLog::new(directory.path().join("decisions")));
        World { log, view, in_force, allowed, _directory: directory }
    }

    fn uses(&self, principal: &Principal) -> Uses {
        Uses::new(Arc::clone(&self.log), principal, &self.in_force)
    }

    fn on_tenant(&self, principal: &Principal, action: Action) -> Arc<Decision> {
        Arc::new(self.in_force.policy.decide(principal, action, Resource::Tenant(HERE)))
    }

    fn write(&self) {
        self.write_at(0);
    }

    /// As the thread does it, at a time.
    fn write_at(&self, now_us: i64) {
        let waiting = Waiting { by: std::mem::take(&mut self.log.waiting().by), ..Waiting::default() };
        for (tenant, entries) in writing::by_tenant(&waiting) {
            Segments::new(self.log.directory_of(tenant)).append(&entries, now_us).unwrap();
        }
    }

    fn page(&self, wanted: &Wanted, before: Option<Place>, limit: usize) -> Page {
        self.log.page(&self.view, HERE, wanted, before, limit).unwrap()
    }
}
