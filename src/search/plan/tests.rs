//! Both legs on an index in memory, with a meaning that is made for the test: it can be slow, or stuck, at any step.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use index::follower::{Limits, drive};
use index::text::{Home, TextIndex};
use storage::commands::{Assert, Command, CreateTenant, Effect, IfEndMissing, SetSource};
use storage::ids::{ActorId, SourceId, TenantId};
use storage::model::{
    Claim, Classification, Form, Label, LabelKind, Licence, Part, Purpose, Purposes, Retention,
    Said as Tells, SourceSpec, Status, Text,
};
use storage::{EngineOptions, Options, Stamp, Store};

use super::super::stage::Step;
use super::*;

/// What waking up may take beyond the budget.
const SLACK: Duration = Duration::from_millis(10);

struct World {
    pinned: Pinned,
    labels: HashMap<ThingId, LabelId>,
}

impl World {
    /// Things numbered from 1, each with a text.
    fn of(texts: &[&str]) -> World {
        let options = Options {
            engine: EngineOptions::Memory,
            space: None,
            new_node_id: "00112233aabbccdd".to_owned(),
        };
        let store = Store::open(options).expect("memory opens");
        let write = |command: Command| {
            let stamp = Stamp { time_us: 1_700_000_000_000_000, seed: [7; 32] };
            store.write(&[command], stamp).expect("commits").answers.remove(0).expect("taken")
        };
        let made = write(Command::CreateTenant(CreateTenant { name: "t".to_owned(), actor: ActorId::NODE }));
        let Effect::Tenant(tenant) = made.effect else { panic!("{made:?}") };
        let purposes = Purposes::from_iter([Purpose::ThreatIntel]);
        let spec = SourceSpec {
            name: "feed".to_owned(),
            purposes,
            licence: Licence::OpenDataOk,
            retention: Retention::Standard365d,
            classification: Classification::Public,
            personal: false,
        };
        write(Command::SetSource(SetSource { tenant, actor: ActorId::NODE, spec }));
        for (number, text) in (1..).zip(texts) {
            write(Command::Assert(Box::new(says(tenant, purposes, number, text))));
        }
        let view = store.view().expect("open");
        let origin = view.origin(tenant).expect("read");
        let (mut index, _) = TextIndex::open(Home::memory(), tenant, &origin).expect("opens");
        while !drive(&mut index, &view, Limits::default(), &|| false).expect("drives").is_current() {}
        let label = |number: u64| {
            let row = view.thing(tenant, ThingId(number)).expect("stored");
            (ThingId(number), row.said[0].label())
        };
        World { pinned: index.reader().pin(), labels: (1..=texts.len() as u64).map(label).collect() }
    }

    fn run(&self, meaning: Fake, stages: &Stages, text: &str, how: (Mode, f64, Duration)) -> Planned {
        let query = Query { text: text.to_owned(), limit: 10, ..Query::default() };
        run(&self.legs(&query, meaning, how), stages, &|| false).expect("answers")
    }

    fn legs<'a>(&'a self, query: &'a Query, meaning: Fake, how: (Mode, f64, Duration)) -> Legs<'a> {
        let (mode, keyword_weight, budget) = how;
        Legs {
            pinned: &self.pinned,
            query,
            allowed: &Allowed::Every,
            chosen: Allowed::Every,
            meaning: Arc::new(Fake { labels: self.labels.clone(), ..meaning }),
            mode,
            method: Method::Scores,
            keyword_weight,
            budget,
        }
    }
}

fn says(tenant: TenantId, purposes: Purposes, number: u32, text: &str) -> Assert {
    let label = Label {
        kind: LabelKind::Entity,
        thing_type: "report".to_owned(),
        classification: Classification::Public,
        licence: Licence::OpenDataOk,
        purposes,
        retention: Retention::Standard365d,
        personal: false,
        source: "feed".to_owned(),
        compartments: vec![],
    };
    let said = Tells {
        id: format!("report-{number}"),
        form: Form::Entity,
        thing_type: "report".to_owned(),
        base: None,
        tags: vec![],
        status: Status::Active,
        observed_at_us: None,
        version_us: None,
        edges: vec![],
        weight: None,
        since: None,
        until: None,
        parts: vec![Part {
            label: Arc::new(label),
            claims: vec![Claim { name: "name".to_owned(), json: format!("\"number {number}\"") }],
            texts: vec![Text { text: text.to_owned(), of_claim: String::new() }],
            embedding: None,
        }],
    };
    let purpose = Purpose::ThreatIntel.code();
    let if_end_missing = IfEndMissing::Refuse;
    Assert { tenant, source: SourceId(1), actor: ActorId::NODE, purpose, said, if_end_missing }
}

/// Says how near each thing is, and waits first at one step.
#[derive(Clone, Default)]
struct Fake {
    labels: HashMap<ThingId, LabelId>,
    /// By thing; of those found by themselves only the first so many.
    cosines: Vec<(u64, f32)>,
    finds: usize,
    slow: Option<(Step, Duration)>,
    /// A stuck one does not look at the clock; it is let go by this.
    stuck: Option<(Step, Arc<AtomicBool>)>,
    fails: Option<Reason>,
    asked: Arc<Mutex<Vec<Step>>>,
}

impl Fake {
    fn knows(cosines: &[(u64, f32)]) -> Fake {
        Fake { cosines: cosines.to_vec(), finds: usize::MAX, ..Fake::default() }
    }

    fn at(&self, step: Step) {
        self.asked.lock().expect("whole").push(step);
        if let Some((_, time)) = self.slow.filter(|(slow, _)| *slow == step) {
            std::thread::sleep(time);
        }
        let stuck = self.stuck.iter().filter(|(stuck, _)| *stuck == step);
        for (_, let_go) in stuck {
            while !let_go.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    fn near(&self, (thing, cosine): (u64, f32)) -> Near {
        let thing = ThingId(thing);
        Near { thing, label: self.labels[&thing], passage: 0..6, cosine }
    }
}

impl Meaning for Fake {
    fn position(&self) -> Lsn {
        Lsn(7)
    }

    fn encode(&self, _: &str, _: Instant) -> Result<Arc<[f32]>, Reason> {
        self.at(Step::Encode);
        self.fails.map_or(Ok([1.0].into()), Err)
    }

    fn nearest(&self, _: &[f32], k: usize, _: &Among, _: &dyn Fn() -> bool) -> Result<Vec<Near>, Reason> {
        self.at(Step::Walk);
        Ok(self.cosines.iter().take(k.min(self.finds)).map(|one| self.near(*one)).collect())
    }

    fn stored(&self, _: ThingId, _: usize, _: &Among) -> Result<Vec<Vec<f32>>, Reason> {
        Ok(vec![vec![1.0]])
    }

    fn cosines(&self, _: &[f32], of: &[ThingId], _: &Among) -> Result<Vec<Option<Near>>, Reason> {
        self.at(Step::Complete);
        let known = |thing: &ThingId| self.cosines.iter().find(|(one, _)| *one == thing.0);
        Ok(of.iter().map(|thing| known(thing).map(|one| self.near(*one))).collect())
    }
}

const TEXTS: [&str; 4] = [
    "lateral movement with stolen tickets",
    "pass the ticket: adversaries authenticate as somebody else",
    "a movement of troops",
    "nothing of the kind",
];
const BUDGET: Duration = Duration::from_millis(100);

fn window(planned: Planned) -> Window {
    match planned.came {
        Came::Together(window) => *window,
        Came::Words(_) => panic!("by words alone: {:?}", planned.outcome),
    }
}

fn order(window: &Window) -> Vec<u64> {
    window.entries.iter().map(|entry| entry.ranked.thing.0).collect()
}

#[test]
fn each_leg_is_asked_of_what_only_the_other_found() {
    let world = World::of(&TEXTS);
    // It finds the second alone; the first and third are found by words, and compared afterwards.
    let meaning = Fake { finds: 1, ..Fake::knows(&[(2, 0.8), (1, 0.6), (3, 0.1)]) };
    let planned = world.run(meaning, &Stages::default(), "stolen movement", (Mode::Hybrid, 0.5, BUDGET));
    assert_eq!((planned.outcome.reason, planned.outcome.lsn), (None, Some(Lsn(7))));
    let steps: Vec<_> = planned.steps.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, ["keyword", "encode", "walk", "complete", "fuse"]);
    let window = window(planned);
    assert_eq!(order(&window), [1, 2, 3]);
    let (first, second, third) = (&window.entries[0], &window.entries[1], &window.entries[2]);
    assert_eq!((first.ranked.keyword.rank, first.ranked.vector.rank), (Some(1), None));
    assert!(
        (first.ranked.vector_worth - 0.75).abs() < 1e-6 && first.ranked.keyword_worth == 1.0,
        "{first:?}"
    );
    assert_eq!((second.ranked.keyword.raw, second.ranked.vector.rank), (None, Some(1)));
    assert_eq!(second.passage, Some(0..6));
    assert!(third.ranked.keyword.raw.is_some_and(|raw| raw > 0.0), "{third:?}");
    assert_eq!((window.coverage, window.has_more), (1.0, false));
}

#[test]
fn what_meaning_found_scores_by_its_words_as_a_search_for_them_says() {
    let world = World::of(&TEXTS);
    let query =
        Query { text: "movement of tickets".to_owned(), limit: 10, explain: true, ..Query::default() };
    let found = world.pinned.search(&query, &Allowed::Every, &|| false).expect("answers");
    let things: Vec<ThingId> = (1..=4).map(ThingId).collect();
    let given = world.pinned.scores(&query, &Allowed::Every, &things).expect("answers");
    for (thing, given) in things.iter().zip(given) {
        let given = given.expect("it is there");
        let hit = found.hits.iter().find(|hit| hit.thing == *thing);
        assert_eq!(hit.map_or(0.0, |hit| hit.score), given.score, "{thing}");
        assert_eq!(
            hit.and_then(|hit| hit.why.clone()).unwrap_or_else(|| given.why.clone().expect("asked")),
            given.why.expect("asked")
        );
        assert_eq!(given.coverage == 0.0, hit.is_none(), "{thing}");
    }
    let nobody = Allowed::Labels(Arc::default());
    let hidden = world.pinned.scores(&query, &nobody, &things).expect("answers");
    assert!(hidden.iter().all(Option::is_none), "{hidden:?}");
}

#[test]
fn by_meaning_alone_words_find_nothing() {
    let world = World::of(&TEXTS);
    let meaning = Fake::knows(&[(2, 0.8), (4, 0.2)]);
    let planned = world.run(meaning, &Stages::default(), "stolen movement", (Mode::Vector, 0.7, BUDGET));
    let window = window(planned);
    assert_eq!((order(&window), window.keyword_weight), (vec![2, 4], 0.0));
}

/// Asked once for all ways, the legs come to the orders that each way would have by itself.
#[test]
fn the_orders_of_several_ways_are_those_of_as_many_searches() {
    let world = World::of(&TEXTS);
    let meaning = || Fake { finds: 2, ..Fake::knows(&[(4, 0.9), (2, 0.8), (1, 0.6), (3, 0.1)]) };
    let modes = [Mode::Vector, Mode::Hybrid, Mode::Hybrid, Mode::Hybrid, Mode::Hybrid];
    let ways = modes.iter().zip([0.0, 0.0, 0.2, 0.7, 1.0]);
    let ways: Vec<_> = ways.map(|(mode, weight)| orders::Way { mode: *mode, weight }).collect();
    let query = Query { text: "stolen movement".to_owned(), limit: 10, ..Query::default() };
    let legs = world.legs(&query, meaning(), (Mode::Hybrid, 0.7, BUDGET));
    let asked = orders::run(&legs, &ways, &Stages::default(), &|| false).expect("answers").expect("meaning");
    for (way, asked) in ways.iter().zip(&asked) {
        let alone =
            world.run(meaning(), &Stages::default(), "stolen movement", (way.mode, way.weight, BUDGET));
        let asked: Vec<u64> = asked.iter().map(|(thing, _)| thing.0).collect();
        assert_eq!(asked, order(&window(alone)), "{way:?}");
    }
    let distinct: HashSet<_> =
        asked.iter().map(|order| order.iter().map(|(thing, _)| thing.0).collect::<Vec<_>>()).collect();
    assert!(distinct.len() >= 3, "the weights make a difference: {asked:?}");
    let words = orders::Way { mode: Mode::Keyword, weight: 1.0 };
    let of_words =
        orders::run(&legs, &[words], &Stages::default(), &|| false).expect("answers").expect("meaning");
    assert_eq!(of_words[0].iter().map(|(thing, _)| thing.0).collect::<Vec<_>>(), [1, 3]);
}

/// A stage that is stuck at a step: the answer comes within the budget, is that of the words, and says so; and of the
/// time no more is told than was given.
#[test]
fn nobody_waits_beyond_the_budget_at_any_step() {
    let world = World::of(&TEXTS);
    let stages = Stages::default();
    let let_go = Arc::new(AtomicBool::new(false));
    let alone = world.pinned.search(
        &Query { text: "stolen movement".to_owned(), limit: 100, ..Query::default() },
        &Allowed::Every,
        &|| false,
    );
    let alone = alone.expect("answers").hits;
    for (number, step) in (1..).zip([Step::Encode, Step::Walk, Step::Complete]) {
        let meaning = Fake { stuck: Some((step, Arc::clone(&let_go))), ..Fake::knows(&[(2, 0.8)]) };
        let begun = Instant::now();
        let planned = world.run(meaning, &stages, "stolen movement", (Mode::Hybrid, 0.7, BUDGET));
        let took = begun.elapsed();
        assert!(took >= BUDGET && took < BUDGET + SLACK * 2, "{step:?}: {took:?}");
        assert_eq!(planned.outcome.reason, Some(Reason::Deadline), "{step:?}");
        assert!(
            planned.outcome.took >= BUDGET && planned.outcome.took <= BUDGET + SLACK,
            "{step:?}: {:?}",
            planned.outcome
        );
        assert!(planned.steps.last().is_some_and(|(last, _)| *last == step.as_str()), "{:?}", planned.steps);
        let Came::Words(words) = planned.came else { panic!("it was stuck at {step:?}") };
        assert_eq!(words.hits, alone);
        assert_eq!(stages.at_work(), number, "what is stuck has its place");
    }
    let_go.store(true, Ordering::Relaxed);
    let end = Instant::now() + Duration::from_secs(5);
    while stages.at_work() > 0 {
        assert!(Instant::now() < end, "what was let go ends");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn what_is_left_behind_does_not_pile_up() {
    let world = World::of(&TEXTS);
    let (stages, let_go) = (Stages::default(), Arc::new(AtomicBool::new(false)));
    let stuck = || Fake { stuck: Some((Step::Walk, Arc::clone(&let_go))), ..Fake::knows(&[(2, 0.8)]) };
    let ask =
        |budget| world.run(stuck(), &stages, "movement", (Mode::Hybrid, 0.7, Duration::from_millis(budget)));
    let mut reasons = Vec::new();
    for _ in 0..40 {
        reasons.push(ask(1).outcome.reason.expect("it is stuck"));
    }
    let stages_max = reasons.iter().filter(|reason| **reason == Reason::Deadline).count();
    assert_eq!((stages_max, stages.at_work()), (32, 32));
    let begun = Instant::now();
    assert_eq!(ask(1000).outcome.reason, Some(Reason::Busy));
    assert!(begun.elapsed() < Duration::from_millis(500), "who finds no place does not wait for one");
    let_go.store(true, Ordering::Relaxed);
}

/// Slow, but in time: the words' part goes on meanwhile, and both are there.
#[test]
fn a_stage_that_is_slow_but_in_time_is_used() {
    let world = World::of(&TEXTS);
    for step in [Step::Encode, Step::Walk, Step::Complete] {
        let meaning = Fake { slow: Some((step, BUDGET / 2)), ..Fake::knows(&[(2, 0.8)]) };
        let planned = world.run(meaning, &Stages::default(), "stolen movement", (Mode::Hybrid, 0.7, BUDGET));
        assert_eq!(planned.outcome.reason, None, "{step:?}");
        assert!(planned.outcome.took >= BUDGET / 2 && planned.outcome.took < BUDGET, "{:?}", planned.outcome);
    }
}

#[test]
fn a_model_that_fails_says_so_and_the_words_answer() {
    let world = World::of(&TEXTS);
    let meaning = Fake { fails: Some(Reason::EncoderFailed), ..Fake::knows(&[(2, 0.8)]) };
    let planned = world.run(meaning, &Stages::default(), "movement", (Mode::Hybrid, 0.7, BUDGET));
    assert_eq!(planned.outcome.reason, Some(Reason::EncoderFailed));
    assert!(matches!(planned.came, Came::Words(_)));
}

/// With as many threads that do nothing but compute as there are processors, and as many again. Where other programs compute, too,
/// one of them may have a long turn: of three series one keeps to the budget throughout.
#[test]
fn busy_processors_do_not_move_the_budget() {
    let world = World::of(&TEXTS);
    let (stages, let_go) = (Stages::default(), Arc::new(AtomicBool::new(false)));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let let_go = Arc::clone(&let_go);
            scope.spawn(move || {
                while !let_go.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let series = || {
            let mut beyond: Vec<_> = (0..20)
                .map(|_| {
                    let stuck = Some((Step::Walk, Arc::clone(&let_go)));
                    let meaning = Fake { stuck, ..Fake::knows(&[(2, 0.8)]) };
                    let asked = (Mode::Hybrid, 0.7, BUDGET / 2);
                    let planned = world.run(meaning, &stages, "stolen movement", asked);
                    assert_eq!(planned.outcome.reason, Some(Reason::Deadline));
                    planned.outcome.took.saturating_sub(BUDGET / 2)
                })
                .collect();
            beyond.sort();
            println!("beyond the budget: median {:?}, most {:?}", beyond[10], beyond[19]);
            beyond[19]
        };
        let keeps_to_it = (0..3).any(|_| series() <= SLACK);
        let_go.store(true, Ordering::Relaxed);
        assert!(keeps_to_it, "beyond the budget by more than {SLACK:?} in each of three series");
    });
}
