//! What no compiler checks about the sources, and no reviewer should have to: names, lengths, words, and what the
//! inner rings may speak of. Clippy holds the rings to their methods; this holds them to their words.

use std::fs;
use std::path::{Path, PathBuf};

const LINES_WARN: usize = 500;
const LINES_MAX: usize = 1_000;
/// Longer than [`LINES_MAX`], each with its reason. The list may only shrink.
const LONG_FILES: &[(&str, &str)] = &[];

/// A name that fits everything says nothing.
const BANNED_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "manager", "misc"];

/// Made or fetched, not written. Lock files name the registry of every package: that is what they are for.
const SKIPPED: &[&str] = &[
    "target",
    ".git",
    ".venv",
    "node_modules",
    "dist",
    "intelgraph-data",
    "Cargo.lock",
    "package-lock.json",
];

const TEXTS: &[&str] = &[
    "rs",
    "toml",
    "md",
    "py",
    "go",
    "ts",
    "tsx",
    "sh",
    "yaml",
    "yml",
    "json",
    "graphql",
    "cedar",
    "cedarschema",
    "",
];

/// In two halves, so that this file does not hold what it looks for.
const BANNED_WORDS: &[(&str, &str, &str)] = &[
    ("/wor", "k/", "a path of somebody's machine"),
    ("/ro", "ot/", "a path of somebody's machine"),
    ("/hom", "e/", "a path of somebody's machine"),
    ("crates", ".io", "a registry; name the package"),
    ("py", "pi.org", "a registry; name the package"),
    ("npm", "js.", "a registry; name the package"),
    ("proxy.gol", "ang", "a registry; name the package"),
    ("maven", ".org", "a registry; name the package"),
    ("docker", ".io", "a registry; name the image"),
    ("tod", "o!(", "unfinished"),
    ("unimplement", "ed!(", "unfinished"),
    ("FIX", "ME", "unfinished"),
];

const RINGS: &[&str] = &["storage/src", "index/src"];
/// The shell's: given to the rings as values, or not at all.
const NOT_IN_RINGS: &[&str] = &["tokio", "axum", "std::env", "SystemTime", "Instant::now", "getrandom"];

#[test]
fn files_are_short_enough_to_read() {
    let mut problems = Vec::new();
    for file in sources() {
        let lines = file.text.lines().count();
        if lines > LINES_WARN {
            println!("{}: {lines} lines; {LINES_WARN} are enough for most", file.path);
        }
        if lines > LINES_MAX && !LONG_FILES.iter().any(|(path, _)| *path == file.path) {
            problems.push(format!("{}: {lines} lines, at most {LINES_MAX}; split it by noun", file.path));
        }
    }
    none(&problems);
}

#[test]
fn no_long_file_is_excused_for_nothing() {
    let sources = sources();
    let is_long =
        |path: &str| sources.iter().any(|file| file.path == path && file.text.lines().count() > LINES_MAX);
    let idle: Vec<_> = LONG_FILES.iter().filter(|(path, _)| !is_long(path)).collect();
    assert!(idle.is_empty(), "no longer long, to be taken off the list: {idle:?}");
}

#[test]
fn every_file_has_a_name_that_says_something() {
    let says_nothing = |file: &&File| file.path.split('/').any(|part| BANNED_NAMES.contains(&stem(part)));
    none(&files().iter().filter(says_nothing).map(|file| file.path.clone()).collect::<Vec<_>>());
}

#[test]
fn no_word_belongs_elsewhere() {
    let mut problems = Vec::new();
    for file in files() {
        for (n, line) in (1..).zip(file.text.lines()) {
            for (first, second, why) in BANNED_WORDS {
                let word = format!("{first}{second}");
                if stands_alone(line, &word) {
                    problems.push(format!("{}:{n}: `{word}` is {why}", file.path));
                }
            }
        }
    }
    none(&problems);
}

/// Tests speak for themselves: a file of them is named after what it tests.
#[test]
fn every_module_says_what_it_is() {
    let silent = |file: &&File| !file.path.ends_with("tests.rs") && !file.text.starts_with("//! ");
    none(&sources().iter().filter(silent).map(|file| file.path.clone()).collect::<Vec<_>>());
}

#[test]
fn the_inner_rings_speak_of_nothing_outside_them() {
    let mut problems = Vec::new();
    for file in sources().iter().filter(|file| RINGS.iter().any(|ring| file.path.starts_with(ring))) {
        for (n, line) in (1..).zip(file.text.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for word in NOT_IN_RINGS.iter().filter(|word| line.contains(**word)) {
                problems.push(format!("{}:{n}: `{word}` is the shell's; pass in what it gives", file.path));
            }
        }
    }
    none(&problems);
}

struct File {
    /// From the root of the repository.
    path: String,
    text: String,
}

fn sources() -> Vec<File> {
    let mut files = files();
    files.retain(|file| file.path.ends_with(".rs"));
    assert!(files.len() > 50, "only {} sources: this does not look at the repository", files.len());
    files
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(root, &mut paths);
    paths.sort();
    // What is no text was not written by hand.
    let file =
        |path: PathBuf| Some(File { text: fs::read_to_string(&path).ok()?, path: relative(&path, root) });
    paths.into_iter().filter_map(file).collect()
}

fn walk(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory of the repository") {
        let entry = entry.expect("an entry of a directory");
        let (name, path) = (entry.file_name(), entry.path());
        let skipped = SKIPPED.iter().any(|skipped| name == *skipped);
        match entry.file_type().expect("the type of an entry") {
            _ if skipped => {}
            kind if kind.is_dir() => walk(&path, paths),
            kind if kind.is_file() && is_text(&path) => paths.push(path),
            _ => {}
        }
    }
}

fn is_text(path: &Path) -> bool {
    TEXTS.contains(&path.extension().map_or("", |extension| extension.to_str().unwrap_or("?")))
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned()
}

/// A name up to its first dot.
fn stem(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// Whether the word is in the line and is not the end of a longer one: `network/` is nobody's path.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_.-*}".contains(c)))
}

#[track_caller]
fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
