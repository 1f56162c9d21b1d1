use std::collections::BTreeMap;
use std::path::PathBuf;

use tempfile::TempDir;

use super::super::note::tests::signer;
use super::*;

fn leaves(size: u64) -> impl Iterator<Item = Leaf> + Clone {
    (0..size).map(|index| {
        let mut header = [0; 40];
        header[..8].copy_from_slice(&index.to_be_bytes());
        Leaf::new(&header, &[index as u8; 32])
    })
}

fn checkpoint(size: u64) -> Checkpoint {
    let mut frontier = Frontier::default();
    leaves(size).for_each(|leaf| frontier.push(leaf.hash(), &mut Vec::new()));
    Checkpoint { origin: signer().vkey().name().to_owned(), size, root: frontier.root() }
}

fn exported(size: u64) -> TempDir {
    let dir = TempDir::new().expect("a temporary directory");
    let leaves = leaves(size).map(Ok::<_, Error>);
    export(dir.path(), &checkpoint(size), &signer(), leaves).expect("an export");
    dir
}

fn report(dir: &Path) -> Report {
    verify_dir(dir, signer().vkey()).expect("a directory")
}

fn refused(dir: &Path) -> String {
    let report = report(dir);
    assert!(!report.ok);
    report.problems.join("\n")
}

/// All files below `dir`, by name.
fn files(dir: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(next).expect("a directory") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(dir).expect("below it").to_str().expect("ASCII").to_owned();
            if path.is_dir() { dirs.push(path) } else { drop(found.insert(name, path)) }
        }
    }
    found
}

#[test]
fn the_layout_is_that_of_tlog_tiles() {
    let found: Vec<String> = files(exported(513).path()).into_keys().collect();
    let wanted = [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/1",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/1",
        "vkey",
    ];
    assert_eq!(found, wanted);
    let place = Place { kind: Kind::Entries, index: 1_234_067, width: 256 };
    assert_eq!(place.path(), "tile/entries/x001/x234/067");
    let place = Place { kind: Kind::Hashes(2), index: 1000, width: 3 };
    assert_eq!(place.path(), "tile/2/x001/000.p/3");
}

#[test]
fn exports_of_all_shapes_are_accepted() {
    for size in [0, 1, 255, 256, 257, 600, 65_536 + 257] {
        let checkpoint = checkpoint(size);
        let wanted =
            Report { origin: checkpoint.origin, size, root: checkpoint.root, ok: true, problems: vec![] };
        assert_eq!(report(exported(size).path()), wanted);
    }
}

#[test]
fn a_changed_byte_is_laid_to_the_file_it_is_in() {
    let dir = exported(65_536 + 600);
    for (name, path) in files(dir.path()) {
        // Of the many files that are alike, the first and the partial one.
        let many = name.starts_with("tile/0/") || name.starts_with("tile/entries/");
        if many && !name.ends_with("/000") && !name.contains(".p/") {
            continue;
        }
        let good = fs::read(&path).expect("a file");
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 4;
            fs::write(&path, &bad).expect("written");
            let report = report(dir.path());
            assert!(!report.ok, "{name} byte {at}");
            assert!(
                report.problems.iter().all(|problem| problem.starts_with(&format!("{name}:"))),
                "{report:?}"
            );
        }
        fs::write(&path, &good).expect("written");
    }
    assert!(report(dir.path()).ok);
}

#[test]
fn files_cut_lengthened_missing_or_not_files_are_named() {
    let dir = exported(600);
    for (name, path) in files(dir.path()) {
        let good = fs::read(&path).expect("a file");
        let named = || {
            let problems = refused(dir.path());
            assert!(problems.starts_with(&format!("{name}:")), "{problems}");
            problems
        };
        fs::write(&path, &good[..good.len() / 2]).expect("written");
        named();
        fs::write(&path, [&good[..], b"x"].concat()).expect("written");
        named();
        fs::remove_file(&path).expect("removed");
        assert!(named().contains("missing"));
        fs::create_dir(&path).expect("made");
        assert!(named().contains("not a file"));
        fs::remove_dir(&path).expect("removed");
        fs::write(&path, &good).expect("written");
    }
}

#[test]
fn a_history_that_was_rewritten_throughout_is_refused() {
    let dir = exported(600);
    let forged = TempDir::new().expect("a temporary directory");
    let other = leaves(600).map(|leaf| Leaf([leaf.0[0] ^ 1; LEAF_BYTES]));
    let mut frontier = Frontier::default();
    other.clone().for_each(|leaf| frontier.push(leaf.hash(), &mut Vec::new()));
    let claim = Checkpoint { root: frontier.root(), ..checkpoint(600) };
    export(forged.path(), &claim, &signer(), other.map(Ok::<_, Error>)).expect("an export");
    fs::copy(dir.path().join("checkpoint"), forged.path().join("checkpoint")).expect("copied");
    assert_eq!(refused(forged.path()), "checkpoint: its root is not that of the files here");
}

#[test]
fn another_key_is_refused_whatever_the_directory_says() {
    let dir = exported(5);
    let stranger = Signer::new(signer().vkey().name(), &[9; 32]).expect("a legal name");
    let report = verify_dir(dir.path(), stranger.vkey()).expect("a directory");
    assert!(!report.ok);
    assert_eq!(report.problems.len(), 2, "{:?}", report.problems);
}

#[test]
fn absurd_claims_end_soon() {
    let dir = exported(5);
    let claim = format!("o\n{}\n{}\n\n\u{2014} o AAAAAAA=\n", i64::MAX, "A".repeat(43) + "=");
    fs::write(dir.path().join("checkpoint"), claim).expect("written");
    assert_eq!(report(dir.path()).problems.len(), PROBLEMS_MAX);
}

#[test]
fn both_halves_damaged_are_both_named() {
    let dir = exported(600);
    for name in ["tile/0/000", "tile/entries/001"] {
        let path = dir.path().join(name);
        let mut bytes = fs::read(&path).expect("a file");
        bytes[40] ^= 1;
        fs::write(&path, bytes).expect("written");
    }
    let problems = refused(dir.path());
    for name in ["tile/0/000:", "tile/entries/001:", "checkpoint:"] {
        assert!(problems.contains(name), "{problems}");
    }
}

#[test]
fn leaves_that_are_not_the_checkpoints_are_not_signed() {
    let dir = TempDir::new().expect("a temporary directory");
    let short = leaves(4).map(Ok::<_, Error>);
    let result = export(dir.path(), &checkpoint(5), &signer(), short);
    assert!(matches!(result, Err(Error::Mismatch { .. })));
    assert!(!dir.path().join("checkpoint").exists());
    let again = export(dir.path(), &checkpoint(0), &signer(), std::iter::empty::<Result<Leaf>>());
    again.expect("nothing was written yet");
    let occupied = export(dir.path(), &checkpoint(0), &signer(), std::iter::empty::<Result<Leaf>>());
    assert!(matches!(occupied, Err(Error::Io { .. })));
}

#[test]
fn no_directory_is_an_error() {
    assert!(verify_dir(Path::new("/does/not/exist"), signer().vkey()).is_err());
}
