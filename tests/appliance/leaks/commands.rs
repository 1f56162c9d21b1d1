//! Probes of every command, read from the program's own help.

use super::Findings;
use super::answers::lasting_text;
use super::world::{Asker, Word, World};
use crate::node::{Ran, program, run};
use crate::seed::Seeded;

/// Commands that ask no node.
const OFFLINE: &[&str] = &[
    "demo",
    "serve",
    "restore",
    "verify",
    "compact",
    "ledger verify",
    "policy check",
    "policy reset",
    "token first-owner",
    "config show",
    "completions",
    "search evaluate",
];

pub(super) fn probe(world: &World, random: &mut Seeded, findings: &mut Findings) {
    for command in leaves(&[]) {
        let name = command.join(" ");
        if OFFLINE.contains(&name.as_str()) {
            continue;
        }
        for asker in world.askers.iter().filter(|asker| !asker.token.is_empty()) {
            one(world, asker, &name, random, findings);
        }
    }
}

/// Every command that does something, as the help lists them.
fn leaves(above: &[String]) -> Vec<Vec<String>> {
    let mut help = program();
    help.args(above).arg("--help");
    let said = run(help).json;
    let listed = said.as_str().unwrap_or_default().split("Commands:\n").nth(1).unwrap_or_default();
    let names =
        listed.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    let below: Vec<_> = names.flat_map(|name| leaves(&[above, &[name.to_owned()]].concat())).collect();
    // `search` answers itself, and has commands below it.
    let is_both = above == ["search"];
    if below.is_empty() || is_both { [vec![above.to_vec()], below].concat() } else { below }
}

fn one(world: &World, asker: &Asker, command: &str, random: &mut Seeded, findings: &mut Findings) {
    let plain = |text: &str| Word { text: text.to_owned(), absent: None };
    let (word, more): (Word, &[&str]) = match command {
        "search" => (world.word(asker, random, &["text", "name", "value"]), &["--facets", "--explain"]),
        "entity get" | "entity history" | "entity similar" | "entity embeddings" | "relations" => {
            (world.id(asker, random), &[])
        }
        "entity delete" | "entity restore" => (world.id(asker, random), &[]),
        "export" => (plain("--source"), &["zqsecretsource", "--format", "jsonl", "--quiet"]),
        "backup" => (plain("backups"), &["--incremental"]),
        "index build" => (plain("--now"), &[]),
        "scrub" => (plain("--quiet"), &[]),
        "doctor" => (plain("--quiet"), &[]),
        // The other end is another thing: of two that are the same only one would be asked for otherwise.
        "path" => match world.id(asker, random) {
            word if word.text == "zqopenidb" => (word, &["zqopenida"]),
            word => (word, &["zqopenidb"]),
        },
        "token create" => (plain("--role"), &["reader"]),
        "redact" | "hold add" => (world.id(asker, random), &["--reason", "asked for"]),
        "hold remove" => (world.id(asker, random), &[]),
        "purge" => (plain("--dry-run"), &[]),
        "model install" => (plain("nothing.whl"), &[]),
        "model list" | "model verify" => (plain("--quiet"), &[]),
        "model remove" => (plain("one"), &[]),
        "hold list" => (plain("--quiet"), &[]),
        "search tune" => (plain("--judged"), &["judged.jsonl"]),
        "flag set" => (plain("keyword-weight"), &["0.7"]),
        "flag list" | "flag pilots" => (plain("--quiet"), &[]),
        "flag stop" | "flag resume" => (plain("no-such-flag"), &[]),
        "token list" | "token denials" => (plain("--quiet"), &[]),
        "token revoke" => (world.spare_token(asker, random), &[]),
        "token deny" | "token allow" => (plain("--subject"), &["somebody"]),
        "token link" => (plain("--quiet"), &[]),
        "policy show" => (plain("--history"), &[]),
        "policy set" | "policy simulate" => (plain("policy.cedar"), &[]),
        "policy explain" => (world.id(asker, random), &["--token", "0000000000", "--action", "entity.read"]),
        "policy decisions" => (plain("--denied"), &[]),
        "ledger export" => (plain("--out"), &["ledger"]),
        "ledger proof" => (plain("--lsn"), &["9", "--out", "proof"]),
        "import" => (plain("nothing.jsonl"), &["--format", "jsonl", "--source", "zqsecretsource"]),
        other => panic!("the command `{other}` has no probe; add one"),
    };
    let ask = |text: &str| {
        let asked = match command {
            "policy explain" => vec!["--thing", text],
            "redact" | "hold add" => vec!["--entity", text],
            _ => vec![text],
        };
        let args: Vec<_> = command.split(' ').chain(asked).chain(more.iter().copied()).collect();
        told(&world.node.cli_as(&asker.token, &args))
    };
    let answer = ask(&word.text);
    let probe = format!("command {command}");
    let named: Vec<_> = more.iter().copied().chain([word.text.as_str()]).collect();
    findings.judge(world, asker, &probe, &named, &answer);
    if let Some(absent) = word.absent {
        findings.compare(asker, &probe, &word.text, &absent, &ask);
    }
}

fn told(ran: &Ran) -> String {
    format!("exit {}\n{}\n{}", ran.exit, lasting_text(&ran.json.to_string()), lasting_text(&ran.stderr))
}
