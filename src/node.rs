//! What makes a node this node: its clock, its randomness and its signing key.
//!
//! The inner rings know neither clock nor randomness; everything of that kind starts here.

use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use std::io::Write;

use anyhow::{Context, Result, ensure};
use storage::Stamp;

/// The file of the signing key.
pub const SIGNING_KEY: &str = "ledger.key";

/// Now, in microseconds since 1970.
#[must_use]
pub fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// Random bytes from the operating system.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// What a batch is stamped with.
#[must_use]
pub fn stamp() -> Stamp {
    Stamp { time_us: now_us(), seed: random() }
}

/// A name for a new node: 16 hex digits.
#[must_use]
pub fn new_node_id() -> String {
    random::<8>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The seed of the node's Ed25519 signing key, readable by its owner alone. It is made on the first call,
/// but not where something was `signed` before: a new key would disown all of that.
///
/// # Errors
/// If the key is gone, cannot be read or written, is not 32 bytes long, or is open to others.
pub fn signing_seed(keys: &Path, signed: bool) -> Result<[u8; 32]> {
    let path = keys.join(SIGNING_KEY);
    if !path.exists() {
        ensure!(!signed, damaged(&path, "it is missing"));
        write_secret(&path, &random::<32>())?;
    }
    let mode = fs::metadata(&path)?.permissions().mode();
    ensure!(
        mode & 0o077 == 0,
        "signing key `{}` is open to others (mode {mode:o}); chmod 600 it",
        path.display()
    );
    let bytes = fs::read(&path).with_context(|| format!("signing key `{}`", path.display()))?;
    let length = bytes.len();
    bytes.try_into().map_err(|_| damaged(&path, &format!("it has {length} bytes, not 32")).into())
}

fn damaged(path: &Path, how: &str) -> storage::Error {
    let detail = format!(
        "`{}`: {how}; put the node's own back from a copy, or restore a backup: with another key nobody is known who was \
         redacted, and the ledgers cannot go on",
        path.display()
    );
    storage::Error::Corrupt { what: "signing key", detail }
}

/// Writes a file that only its owner can read; whole and durable, or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path).with_context(|| format!("`{}`", path.display()))?;
    // Without this the name may be gone after a power cut, and with it all that was signed.
    Ok(fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?)
}

/// Lets the process have as many files open as the system lets it; how many that are.
pub fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
        if setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    limit.current.unwrap_or(u64::MAX)
}

/// A time as RFC 3339 text in UTC.
#[must_use]
pub fn rfc3339(time_us: i64) -> String {
    jiff::Timestamp::from_microsecond(time_us).map_or_else(|_| time_us.to_string(), |time| time.to_string())
}

/// The time of an RFC 3339 text, in microseconds since 1970.
///
/// # Errors
/// If the text is no such time.
pub fn parse_time(text: &str) -> Result<i64> {
    let time: jiff::Timestamp =
        text.parse().map_err(|error| anyhow::anyhow!("not an RFC 3339 time: `{text}`: {error}"))?;
    Ok(time.as_microsecond())
}
