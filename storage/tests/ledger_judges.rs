//! Exports and receipts before outside judges: programs of other authors accept what is whole and refuse what is not.
//!
//! A judge that this machine cannot run is skipped, and the reason is printed; with `INTELGRAPH_JUDGES_REQUIRED` set that
//! fails, since a test that nobody ran proves nothing. The Python with `pymerkle` in it is named by the environment
//! variable `INTELGRAPH_JUDGES_PYTHON`, `python3` by default.

#![expect(
    clippy::disallowed_methods,
    reason = "which judges there are is the environment's to say, not the store's"
)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use storage::ledger::leaf::digest;
use storage::ledger::{
    Checkpoint, Contents, Coord, Error, Frontier, Hash, Hashes, Header, Leaf, Result, Signer, Vkey, note,
    proof, receipt, tiles,
};
use tempfile::TempDir;

const RECORDS: u64 = 1000;
const RECEIPT: &str = "record.tlog-proof";
const ERASED: &str = "erased.tlog-proof";

#[test]
fn the_go_projects_transparency_log_judges_exports() {
    let Some(judge) = go_judge() else { return };
    let export = Exported::new();
    let accepts = |name: Option<&str>| {
        let receipt = name.map(|name| export.outside(name));
        runs(Command::new(&judge.program).arg(export.dir()).args(receipt))
    };
    accepts(None).expect("a whole export");
    accepts(Some(RECEIPT)).expect("a receipt of a kept record");
    accepts(Some(ERASED)).expect("a receipt of an erased record");
    for file in
        ["checkpoint", "vkey", "tile/0/001", "tile/1/000.p/3", "tile/entries/002", "tile/entries/003.p/232"]
    {
        export.with_changed_byte(file, || refused(accepts(None), file));
    }
    for changed in export.changed_receipts() {
        refused(accepts(Some(&changed)), &changed);
    }
}

#[test]
fn pymerkle_judges_roots() {
    let Some(python) = python_with("pymerkle") else {
        return;
    };
    let export = Exported::new();
    let accepts = || runs(Command::new(&python).arg(judges().join("roots.py")).arg(export.dir()));
    accepts().expect("a whole export");
    for file in ["checkpoint", "tile/entries/000", "tile/entries/003.p/232"] {
        export.with_changed_byte(file, || refused(accepts(), file));
    }
}

#[test]
fn a_page_of_python_goes_from_a_value_to_the_signed_root() {
    let Some(python) = python_with("json") else {
        return;
    };
    if let Err(reason) = runs(Command::new("openssl").args(["pkeyutl", "-help"])) {
        return skip("receipt.py", &reason);
    }
    let export = Exported::new();
    let accepts = |receipt: &str, value: &[&str], key: &Vkey| {
        let program = judges().join("receipt.py");
        runs(Command::new(&python).arg(program).arg(export.outside(receipt)).arg(key.to_string()).args(value))
    };
    let key = export.signer.vkey();
    let steps = accepts(RECEIPT, &["\"Fancy Bear 617\""], key);
    println!("{}", steps.expect("the value on the screen"));
    accepts(ERASED, &[], key).expect("a receipt of an erased record");
    refused(accepts(RECEIPT, &["\"Cozy Bear\""], key), "a value that the record does not hold");
    refused(accepts(ERASED, &["\"Fancy Bear 617\""], key), "a value that was erased");
    let stranger = Signer::new(key.name(), &[8; 32]).expect("a legal name");
    refused(accepts(RECEIPT, &[], stranger.vkey()), "another key");
    for changed in export.changed_receipts() {
        refused(accepts(&changed, &[], key), &changed);
    }
}

/// A ledger of [`RECORDS`] records, its export, and two receipts beside it, for one record that is kept and one erased.
struct Exported {
    root: TempDir,
    signer: Signer,
}

impl Exported {
    fn new() -> Exported {
        let name = note::origin("node-1.example", "acme", 1).expect("a legal name");
        let signer = Signer::new(&name, &[7; 32]).expect("an origin is a key name");
        let exported = Exported { root: TempDir::new().expect("a temporary directory"), signer };
        let log = Log::new();
        let root = proof::root_at(&log, RECORDS).expect("in memory");
        let checkpoint = Checkpoint { origin: name, size: RECORDS, root };
        let leaves = (0..RECORDS).map(|index| Ok::<_, Error>(log.leaf(index)));
        tiles::export(&exported.dir(), &checkpoint, &exported.signer, leaves).expect("an export");
        let signed = exported.signer.sign(&checkpoint).expect("its own origin");
        exported.write_receipt(RECEIPT, &log, &signed, record(617).1);
        let erased = Contents::Erased { digest: record(617).1.digest() };
        exported.write_receipt(ERASED, &log, &signed, erased);
        exported
    }

    fn write_receipt(&self, name: &str, log: &Log, signed: &str, contents: Contents) {
        let path = proof::inclusion(log, RECORDS, 617).expect("in memory");
        let text = receipt::write(&record(617).0, &contents, 617, &path, signed);
        receipt::verify(&text, self.signer.vkey()).expect("own receipt");
        fs::write(self.outside(name), text).expect("written");
    }

    fn dir(&self) -> PathBuf {
        self.root.path().join("export")
    }

    /// A file beside the export.
    fn outside(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Changes a byte in one file of the export while `look` runs. Our own check must name the file.
    fn with_changed_byte<T>(&self, file: &str, look: impl FnOnce() -> T) {
        let path = self.dir().join(file);
        let good = fs::read(&path).expect("a file");
        fs::write(&path, changed(&good)).expect("written");
        look();
        let report = tiles::verify_dir(&self.dir(), self.signer.vkey()).expect("a directory");
        assert!(report.problems.iter().any(|problem| problem.starts_with(file)), "{report:?}");
        fs::write(&path, good).expect("written");
        assert!(tiles::verify_dir(&self.dir(), self.signer.vkey()).expect("a directory").ok);
    }

    /// Copies each receipt with a byte of its record changed, and with one of its signature; returns the copies' names.
    fn changed_receipts(&self) -> Vec<String> {
        let mut copies = Vec::new();
        for file in [RECEIPT, ERASED] {
            let good = fs::read(self.outside(file)).expect("a file");
            for at in [40, good.len() - 20] {
                let mut bad = good.clone();
                bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
                let copy = format!("changed-at-{at}-{file}");
                fs::write(self.outside(&copy), bad).expect("written");
                copies.push(copy);
            }
        }
        copies
    }
}

/// Changes a byte near the beginning, where a letter stays a letter and so only the meaning is wrong.
fn changed(good: &[u8]) -> Vec<u8> {
    let mut bad = good.to_vec();
    let at = 40.min(good.len() / 2);
    bad[at] ^= 1;
    bad
}

/// What the store keeps of a ledger: leaves to recompute hashes from, and the completed hashes.
struct Log {
    leaves: Vec<Hash>,
    stored: Vec<(Coord, Hash)>,
}

impl Log {
    fn new() -> Log {
        let mut log = Log { leaves: Vec::new(), stored: Vec::new() };
        let mut frontier = Frontier::default();
        for index in 0..RECORDS {
            let leaf = log.leaf(index).hash();
            log.leaves.push(leaf);
            frontier.push(leaf, &mut log.stored);
        }
        log
    }

    fn leaf(&self, index: u64) -> Leaf {
        let (header, contents) = record(index);
        Leaf::new(&header, &contents.digest())
    }
}

impl Hashes for Log {
    type Error = Error;

    fn read(&self, level: u8, range: std::ops::Range<u64>) -> Result<Vec<Hash>> {
        if level == 0 {
            return Ok(self.leaves[range.start as usize..range.end as usize].to_vec());
        }
        let within = |(at, _): &&(Coord, Hash)| at.level == level && range.contains(&at.index);
        Ok(self.stored.iter().filter(within).map(|(_, hash)| *hash).collect())
    }
}

fn record(index: u64) -> (Header, Contents) {
    let mut header = [0; 40];
    header[..8].copy_from_slice(&index.to_be_bytes());
    let salt = digest(&[1; 16], &header)[..16].try_into().expect("half a digest");
    let body = format!("{{\"name\":\"Fancy Bear {index}\"}}").into_bytes();
    (header, Contents::Kept { salt, body })
}

/// The Go judge, built; its directory goes with it.
struct GoJudge {
    program: PathBuf,
    _dir: TempDir,
}

fn go_judge() -> Option<GoJudge> {
    let go = |args: &[&str]| runs(Command::new("go").args(args).current_dir(judges().join("tlog")));
    let modules = go(&["mod", "download"]);
    modules.map_err(|reason| skip("tlog", &reason)).ok()?;
    let dir = TempDir::new().expect("a temporary directory");
    let program = dir.path().join("tlog");
    go(&["build", "-o", &program.to_string_lossy(), "."]).expect("the judge compiles");
    Some(GoJudge { program, _dir: dir })
}

fn python_with(module: &str) -> Option<String> {
    let python = env::var("INTELGRAPH_JUDGES_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = runs(Command::new(&python).args(["-c", &format!("import {module}")]));
    found.map_err(|reason| skip(module, &reason)).ok()?;
    Some(python)
}

#[expect(clippy::print_stdout, reason = "who reads the output sees what was not judged")]
fn skip(judge: &str, reason: &str) {
    let required = env::var_os("INTELGRAPH_JUDGES_REQUIRED").is_some();
    assert!(!required, "the judge `{judge}` cannot run here: {reason}");
    println!("skipped: the judge `{judge}` cannot run here: {reason}");
}

/// Runs a program to its end; what it wrote is the error if it did not exit with 0.
fn runs(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if output.status.success() { Ok(text) } else { Err(text) }
}

/// Insists that a judge said no, and did not just fall over.
fn refused(verdict: Result<String, String>, what: &str) {
    let said = verdict.expect_err(what);
    assert!(said.contains("refused: "), "{what}: {said}");
}

fn judges() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/judges")
}
