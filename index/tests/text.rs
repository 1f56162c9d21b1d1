//! What the text index promises to those who search.

#[path = "../../storage/tests/world/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod world;

#[allow(dead_code, unreachable_pub, reason = "every test file uses a part of the world")]
mod text_world;

use std::sync::Arc;

use index::follower::Follower as _;
use index::text::{Allowed, Order, Query};
use storage::commands::{Command, EndPurge, PurgeThings};
use storage::ids::{ActorId, ThingId};
use storage::model::Retention;
use text_world::{Library, labelled, text_of};
use world::{entity, relation};

#[test]
fn a_word_is_found_in_titles_texts_and_claims() {
    let mut library = Library::new();
    library.say(text_of("a", "Mimikatz", "Dumps credentials from memory"));
    library.say(text_of("b", "PsExec", "Runs commands on other machines"));
    assert_eq!(library.found("mimikatz"), ["a"]);
    assert_eq!(library.found("machine"), ["b"], "stemmed");
    assert_eq!(library.found("DUMPING crédentials"), ["a"]);
    assert_eq!(library.found("nothing"), Vec::<String>::new());
}

#[test]
fn titles_come_before_texts_and_more_words_before_fewer() {
    let mut library = Library::new();
    library.say(text_of("text", "Other", "about the Duqu malware and so on"));
    library.say(text_of("title", "Duqu", "a tool"));
    library.say(text_of("both", "Tool", "malware with a keylogger"));
    library.say(text_of("one", "Tool 2", "keylogger keylogger keylogger"));
    assert_eq!(library.found("duqu")[0], "title");
    assert_eq!(library.found("malware keylogger")[0], "both");
}

#[test]
fn an_id_finds_its_thing_first() {
    let mut library = Library::new();
    for n in 0..20 {
        library.say(text_of(&format!("x{n}"), "T1003 T1003", "T1003 T1003 T1003"));
    }
    let mut said = text_of("attack-pattern--1", "OS Credential Dumping", "Adversaries");
    said.parts[0].claims.push(storage::model::Claim {
        name: "external_references".to_owned(),
        json: r#"[{"source_name":"mitre-attack","external_id":"T1003"}]"#.to_owned(),
    });
    library.say(said);
    assert_eq!(library.found("T1003")[0], "attack-pattern--1");
    assert_eq!(library.found("attack-pattern--1"), ["attack-pattern--1"]);
}

#[test]
fn a_typo_is_forgiven_only_where_nobody_meant_it() {
    let mut library = Library::new();
    library.say(text_of("a", "Mimikatz", "dumps credentials"));
    library.say(text_of("b", "Mimikats", "a fake"));
    assert_eq!(library.found("mimikatz"), ["a"], "written so somewhere");
    assert_eq!(library.found("credentails"), ["a"], "two letters swapped");
    assert_eq!(library.found("mimokutz"), Vec::<String>::new(), "two errors in eight letters");
    assert_eq!(library.found("credantialz"), ["a"], "two errors in eleven");
    assert_eq!(library.found("kredentials"), ["a"], "one error, in the first letter");
    assert_eq!(library.found("fike"), Vec::<String>::new(), "four letters");
}

#[test]
fn phrases_exclusions_and_beginnings() {
    let mut library = Library::new();
    library.say(text_of("a", "A", "command and control server"));
    library.say(text_of("b", "B", "control of the command line"));
    assert_eq!(library.found(r#""command and control""#), ["a"]);
    assert_eq!(library.found("command -server"), ["b"]);
    assert_eq!(library.found("-server"), ["b"]);
    let mut query = library.query("contr");
    query.prefix = true;
    assert_eq!(library.found_by(&query).len(), 2);
}

#[test]
fn what_is_hidden_neither_matches_nor_is_suggested_nor_counted() {
    let mut library = Library::new();
    library.say(text_of("open", "Public report", "about phishing"));
    library.say(labelled("secret", "Secret operation", "about phishing too", "secret-source"));
    let open = library.labels_of("open");
    let mut query = library.query("phishing");
    query.facets = true;
    let hits = library.ask(&query, &open);
    assert_eq!(library.ids(&hits), ["open"]);
    let facets = hits.facets.expect("asked for");
    assert_eq!(facets.sources, [("attack".to_owned(), 1)]);
    assert_eq!(library.ask(&library.query("operation"), &open).hits, []);
    assert_eq!(library.ask(&library.query(""), &open).hits.len(), 1);
    assert_eq!(library.suggested("sec", &open), Vec::<String>::new());
    assert_eq!(library.suggested("sec", &Allowed::Every), ["secret"]);
    assert_eq!(library.suggested("repo", &open), ["open"]);
    let nobody = Allowed::Labels(Default::default());
    assert_eq!(library.ask(&library.query(""), &nobody).hits, []);
}

/// Who may see little is answered from that, who may see much by passing over the rest: nobody can tell which it was.
#[test]
fn few_are_found_as_they_are_among_all() {
    let mut library = Library::new();
    for n in 0..2400 {
        let text = format!("common {} word{} end", "often ".repeat(n % 5), n % 50);
        let compartment = if n % 240 == 7 { "narrow" } else { "wide" };
        library.say(labelled(&format!("t{n:04}"), &format!("Report {n}"), &text, compartment));
    }
    library.drive();
    library.delete("t0247");
    library.say(labelled("t0487", "Report again", "common word7 told anew", "narrow"));
    let narrow = library.labels_of("t0007");
    let few: Vec<_> = (0..10).map(|n| format!("t{:04}", n * 240 + 7)).filter(|id| id != "t0247").collect();
    let phrase = "\"common often\"";
    for text in
        ["word7", "common", "often", "common word7", "report often", phrase, "common -often", "", "t0487"]
    {
        for order in [Order::Relevance, Order::Time] {
            let query = Query { limit: 3000, facets: order == Order::Time, order, ..library.query(text) };
            let hits = library.ask(&query, &narrow);
            let all = library.ask(&query, &Allowed::Every);
            let among = all.hits.iter().filter(|hit| few.contains(&library.id(hit.thing)));
            let told = |hit: &index::text::Hit| (hit.thing, hit.label, hit.score.to_bits());
            let expected: Vec<_> = among.map(told).collect();
            assert_eq!(hits.hits.iter().map(told).collect::<Vec<_>>(), expected, "{text} {order:?}");
            assert!(!expected.is_empty(), "{text}");
            let types = hits.facets.map(|facets| facets.types);
            let counted = query.facets.then(|| vec![("report".to_owned(), expected.len() as u64)]);
            assert_eq!(types, counted, "{text}");
        }
    }
    let page = library.ask(&Query { limit: 3, ..library.query("common") }, &narrow);
    let after = library.ask_after(&library.query("common"), &page, &narrow);
    assert_eq!((page.hits.len(), after.hits.len()), (3, few.len() - 3));
    assert_eq!(library.suggested("report 72", &narrow), ["t0727"]);
    assert_eq!(
        library.found_as("word8", &narrow),
        library.found_as("word9", &narrow),
        "hidden, and corrected alike"
    );
}

/// The one text that somebody may see comes first for him, however many others match.
#[test]
fn one_among_many_is_found_first() {
    let mut library = Library::new();
    let mut many: Vec<_> = (0..2000)
        .map(|n| library.world.assert(labelled(&format!("t{n}"), "Phishing", "phishing phushing", "wide")))
        .collect();
    many.push(library.world.assert(labelled(
        "mine",
        "A long name",
        "something about phishing at last",
        "mine",
    )));
    library.world.write(many);
    let mine = library.labels_of("mine");
    assert_eq!(library.found_as("phishing", &mine), ["mine"]);
    assert_eq!(
        library.found_as("phushing", &mine),
        ["mine"],
        "corrected, though two thousand others write it so"
    );
    assert_eq!(library.found_as("name of phishing", &mine), ["mine"]);
}

#[test]
fn a_correction_does_not_tell_of_hidden_words() {
    let mut library = Library::new();
    library.say(text_of("open", "Report", "about phishing"));
    library.say(labelled("secret", "Secret", "phoshing", "secret-source"));
    let open = library.labels_of("open");
    let with_hidden = library.ask(&library.query("phoshing"), &open);
    assert_eq!(library.ids(&with_hidden), ["open"], "as if the hidden word were not there");
}

#[test]
fn filters_narrow_and_facets_count_what_they_leave() {
    let mut library = Library::new();
    library.say(entity("m", "malware", "Duqu"));
    library.say(entity("t", "tool", "Duqu tool"));
    library.say(relation("r", "uses", "m", "t"));
    let mut query = library.query("");
    query.types = vec!["tool".to_owned()];
    assert_eq!(library.found_by(&query), ["t"]);
    query.types = vec!["never-seen".to_owned()];
    assert_eq!(library.found_by(&query), Vec::<String>::new());
    query = Query { form: Some(storage::model::Form::Relation), ..library.query("about") };
    assert_eq!(library.found_by(&query), ["r"]);
    query = Query { facets: true, types: vec!["tool".to_owned()], ..library.query("duqu") };
    let hits = library.ask(&query, &Allowed::Every);
    assert_eq!(hits.hits.len(), 1);
    let facets = hits.facets.expect("asked for");
    assert_eq!(facets.types, [("malware".to_owned(), 1), ("tool".to_owned(), 1)]);
    assert_eq!(facets.sources, [("attack".to_owned(), 1)]);
}

#[test]
fn what_is_left_out_is_counted_where_it_could_be_chosen() {
    let mut library = Library::new();
    library.say(entity("m", "malware", "Duqu"));
    library.say(entity("t", "tool", "Duqu tool"));
    library.say(labelled("s", "Duqu secret", "about Duqu", "narrow"));
    let narrow = library.labels_of("s");
    let Allowed::Labels(labels) = &narrow else { panic!("labels") };
    let highest = labels.max().expect("a label") as usize;
    let mut by_label = vec![1; highest + 1];
    by_label[highest] = 4;
    let groups = index::text::Groups { by_label: std::sync::Arc::new(by_label), wanted: vec![] };
    let all = Query { facets: true, groups: groups.clone(), ..library.query("duqu") };
    let query = Query { not_types: vec!["tool".to_owned(), "never-seen".to_owned()], ..all.clone() };
    let hits = library.ask(&query, &Allowed::Every);
    assert_eq!(library.ids(&hits).len(), 2, "{hits:?}");
    let facets = hits.facets.expect("asked for");
    assert!(facets.types.contains(&("tool".to_owned(), 1)), "{facets:?}");
    assert_eq!(facets.groups, [(1, 1), (4, 1)], "what is left out by another choice is not counted");
    assert!(facets.spans.is_empty(), "no chart was asked for");
    let chosen = index::text::Groups { wanted: vec![4], ..groups };
    let hits = library.ask(&Query { groups: chosen, chart: true, ..all.clone() }, &Allowed::Every);
    assert_eq!(library.ids(&hits), ["s"]);
    let facets = hits.facets.expect("asked for");
    assert_eq!((facets.groups, facets.spans[0].count), (vec![(1, 2), (4, 1)], 1));
    let sources = Query { not_sources: vec!["attack".to_owned()], ..all };
    assert!(library.ask(&sources, &Allowed::Every).hits.is_empty());
}

#[test]
fn a_score_is_the_sum_of_what_it_is_made_of() {
    let mut library = Library::new();
    library.say(text_of("a", "Credential theft", "dumping of credentials from memory"));
    library.say(text_of("b", "Memory", "nothing of the kind"));
    let query = Query { explain: true, ..library.query("credential memry") };
    let hits = library.ask(&query, &Allowed::Every);
    for hit in &hits.hits {
        let why = hit.why.as_ref().expect("asked for");
        let sum: f64 = why.shares.iter().map(|share| f64::from(share.score)).sum();
        assert!((sum * why.factor - f64::from(hit.score)).abs() < 1e-4, "{hit:?}");
    }
    let best = hits.hits[0].why.as_ref().expect("asked for");
    assert_eq!(best.factor, 1.0, "it has both words");
    let typed = best.shares.iter().find(|share| share.word.as_deref() == Some("memry")).expect("a share");
    assert_eq!((typed.found.as_str(), typed.place), ("memori", index::text::Where::Body));
    assert!(hits.hits[1].why.as_ref().expect("asked for").factor < 1.0, "{hits:?}");
    assert!(library.ask(&library.query("credential"), &Allowed::Every).hits[0].why.is_none());
}

#[test]
fn time_narrows_and_orders() {
    let mut library = Library::new();
    for n in 1..=5 {
        let mut said = text_of(&format!("t{n}"), "Report", "weekly");
        said.observed_at_us = Some(n * 100);
        library.say(said);
    }
    assert_eq!(library.found(""), ["t5", "t4", "t3", "t2", "t1"]);
    let mut query = library.query("weekly");
    query.time = Some(index::text::TimeRange { from_us: 200, to_us: 400 });
    query.order = index::text::Order::Time;
    assert_eq!(library.found_by(&query), ["t3", "t2"]);
}

#[test]
fn what_was_said_before_is_not_found() {
    let mut library = Library::new();
    library.say(text_of("a", "Duqu", "first words"));
    assert_eq!(library.found("first"), ["a"]);
    library.say(text_of("a", "Duqu", "second thoughts"));
    assert_eq!(library.found("first"), Vec::<String>::new());
    assert_eq!(library.found("second"), ["a"]);
    library.say(labelled("a", "Duqu", "third opinion", "another-label"));
    assert_eq!(library.found("second"), Vec::<String>::new(), "withdrawn with its label");
    assert_eq!(library.found("third"), ["a"]);
}

/// A thing that others are joined to keeps its number when what was said of it is over, and may be spoken of again before the
/// index hears that anything went.
#[test]
fn what_was_purged_is_not_found_beside_what_is_said_again() {
    let heard_of = ["nothing", "the new words", "another thing"];
    for (heard_of, is_opened_anew) in
        heard_of.iter().flat_map(|heard_of| [(*heard_of, false), (*heard_of, true)])
    {
        let mut library = Library::new();
        let mut over = text_of("a", "Duqu", "old words");
        Arc::make_mut(&mut over.parts[0].label).retention = Retention::Ephemeral7d;
        let mut again = text_of("a", "Duqu", "new words");
        again.parts[0].label = Arc::clone(&over.parts[0].label);
        library.say(over);
        library.say(entity("b", "host", "h"));
        library.say(relation("r", "uses", "b", "a"));
        assert_eq!(library.found("old"), ["a"]);

        let (tenant, now_us) = (library.world.tenant, library.world.time_us + 30 * 86_400_000_000);
        let things = (1..=3).map(ThingId).collect();
        library.world.one(Command::PurgeThings(PurgeThings { tenant, things, now_us }));
        if heard_of == "another thing" {
            library.say(entity("c", "host", "h"));
            library.drive();
        }
        library.say(again);
        if heard_of == "the new words" {
            library.drive();
        }
        let end = EndPurge { tenant, actor: ActorId::NODE, erased_before: 0, bytes: 1 };
        library.world.one(Command::EndPurge(end));
        if is_opened_anew {
            // It knows as little then.
            library.text.rollback().expect("nothing is open");
        }
        assert_eq!(library.found("old"), Vec::<String>::new(), "the index had heard of {heard_of}");
        assert_eq!(library.found("new"), ["a"], "the index had heard of {heard_of}");
        assert_eq!(
            library.pin().documents(),
            library.world.view().head(tenant).expect("read").next_thing - 1
        );
    }
}

#[test]
fn revoked_deleted_and_restored() {
    let mut library = Library::new();
    library.say(text_of("a", "Duqu", "words"));
    let mut revoked = text_of("b", "Flame", "words");
    revoked.status = storage::model::Status::Revoked;
    library.say(revoked);
    assert_eq!(library.found("words"), ["a"]);
    let all = Query { include_revoked: true, ..library.query("words") };
    assert_eq!(library.found_by(&all).len(), 2);
    library.delete("a");
    assert_eq!(library.found("words"), Vec::<String>::new());
    library.say(text_of("a", "Duqu", "new words"));
    assert_eq!(library.found("words"), Vec::<String>::new(), "said of a deleted thing");
    library.restore("a");
    assert_eq!(library.found("new"), ["a"]);
}

#[test]
fn several_labels_of_a_thing_are_one_hit() {
    let mut library = Library::new();
    let mut said = text_of("a", "Duqu", "open words");
    let hidden = labelled("a", "Duqu", "hidden words", "secret-source").parts.remove(0);
    said.parts.push(hidden);
    library.say(said);
    assert_eq!(library.found("words"), ["a"]);
    assert_eq!(library.found("hidden"), ["a"]);
}

#[test]
fn pages_neither_repeat_nor_lose_while_writes_go_on() {
    let mut library = Library::new();
    for n in 0..100 {
        library.say(text_of(&format!("t{n}"), "Report", &"word ".repeat(n % 7 + 1)));
    }
    library.drive();
    let pinned = library.pin();
    let query = library.query("word");
    let whole = library.ask_pinned(&pinned, &Query { limit: 1000, ..query.clone() });
    let mut paged = Vec::new();
    let mut page = Query { limit: 7, ..query };
    loop {
        let hits = library.ask_pinned(&pinned, &page);
        paged.extend(hits.hits.iter().map(|hit| (hit.thing, hit.score.to_bits())));
        library.say(text_of(&format!("new{}", paged.len()), "Word", "word word"));
        library.drive();
        page.after = hits.next;
        if hits.next.is_none() {
            break;
        }
    }
    let whole: Vec<_> = whole.hits.iter().map(|hit| (hit.thing, hit.score.to_bits())).collect();
    assert_eq!(paged, whole);
    assert_eq!(whole.len(), 100);
}

#[test]
fn a_search_that_is_stopped_says_so() {
    let mut library = Library::new();
    library.say(text_of("a", "Duqu", "words"));
    library.drive();
    let hits = library.pin().search(&library.query("words"), &Allowed::Every, &|| true).expect("answers");
    assert!(!hits.complete);
}

#[test]
fn snippets_mark_what_was_found() {
    let mut library = Library::new();
    library.say(text_of("a", "Mimikatz", "It is a tool for dumping credentials."));
    library.drive();
    let hits = library.ask(&library.query("credential dumps"), &Allowed::Every);
    let passages = library.passages("a");
    let snippet = hits.highlighter.best(&passages, 200).expect("a passage");
    let marked: Vec<_> = snippet.marks.iter().map(|mark| &snippet.text[mark.clone()]).collect();
    assert_eq!(marked, ["dumping", "credentials"]);
}

#[test]
fn limits_are_said() {
    let mut library = Library::new();
    library.say(text_of("a", "A", "b"));
    library.drive();
    let pinned = library.pin();
    let ask = |query: &Query| pinned.search(query, &Allowed::Every, &|| false).expect_err("refused").kind();
    assert_eq!(ask(&library.query(&"x".repeat(9000))), index::ErrorKind::Invalid);
    assert_eq!(ask(&Query { limit: 10_001, ..library.query("x") }), index::ErrorKind::Invalid);
}
