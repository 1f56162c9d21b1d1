//! What could be wrong with a node, looked at without changing anything: each check says what it found and what to do.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use storage::ids::{Lsn, TenantId};
use storage::{Space, View};

use crate::app::{App, VERSION};
use crate::config::Config;
use crate::embedding;
use crate::gateway::certificate_lasts;
use crate::node::{now_us, rfc3339};

/// A clock may be off by so much before anybody minds.
pub const CLOCK_OFF_MAX: Duration = Duration::from_secs(60);
/// A certificate that ends sooner is time to be replaced.
const CERTIFICATE_LEFT_MIN: Duration = Duration::from_secs(14 * 24 * 3600);
/// Warned of before writes stop: so many times what they need.
const SPACE_TIMES_MIN: u64 = 4;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do, if it is not.
    pub fix: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn good(name: &str, detail: impl Into<String>) -> Check {
        Check { name: name.to_owned(), ok: true, detail: detail.into(), fix: None }
    }

    /// Not as it should be, and what to do.
    pub fn bad(name: &str, detail: impl Into<String>, fix: impl Into<String>) -> Check {
        Check { name: name.to_owned(), ok: false, detail: detail.into(), fix: Some(fix.into()) }
    }
}

/// Looks at a running node, as an owner of a tenant sees it.
///
/// # Errors
/// As for reading the view.
pub fn of_node(app: &App, view: &View, tenant: TenantId) -> storage::Result<Vec<Check>> {
    let head = view.head(tenant)?;
    let mut checks = vec![Check::good("version", format!("{VERSION}, data format {}", storage::FORMAT))];
    checks.push(store(app, view));
    checks.extend(of_directory(&app.config.data_dir));
    checks.push(space(&app.config.data_dir));
    checks.push(clock(head.last_time_us));
    checks.push(follower(app, tenant, head.head().0));
    checks.push(encoder(app, tenant, head.head().0));
    checks.push(erasure(app, view, tenant)?);
    checks.push(listening(&app.config));
    Ok(checks)
}

/// Looks at the files of a data directory, of a node that runs or one that does not.
#[must_use]
pub fn of_directory(path: &Path) -> Vec<Check> {
    let files = mode("data_directory", path, 0o002, "chmod o-w");
    vec![format(path), files, keys(&path.join("keys")), models(path)]
}

/// Looks at what a node on this directory would begin with.
#[must_use]
pub fn of_stopped(config: &Config) -> Vec<Check> {
    let path = &config.data_dir;
    let mut checks = of_directory(path);
    let database = path.join("store.redb");
    checks.push(match fs::metadata(&database) {
        Ok(metadata) => Check::good("database", format!("{} bytes", metadata.len())),
        Err(error) => {
            Check::bad("database", format!("`{}`: {error}", database.display()), "restore a backup")
        }
    });
    checks.push(anchor(&path.join("anchor")));
    checks.push(space(path));
    checks.push(match TcpListener::bind(config.listen) {
        Ok(_) => Check::good("port", format!("{} is free", config.listen)),
        Err(error) => Check::bad(
            "port",
            format!("{}: {error}", config.listen),
            "end what listens there, or set another `listen`",
        ),
    });
    checks.push(listening(config));
    checks
}

/// Whether the anchor is there; what it says is looked at by who opens the store.
fn anchor(path: &Path) -> Check {
    match fs::metadata(path) {
        Ok(metadata) => Check::good("anchor", format!("{} bytes", metadata.len())),
        Err(error) => Check::bad(
            "anchor",
            format!("`{}`: {error}", path.display()),
            "put it back from a copy; a node that never began has none, and one that lost it starts with `serve --no-anchor`",
        ),
    }
}

fn store(app: &App, view: &View) -> Check {
    if let Some(cause) = app.store.failure() {
        return Check::bad(
            "store",
            cause,
            "see the node's log; it is opened again by itself once the disk is well",
        );
    }
    match app.anchor.check(view) {
        Ok(()) => Check::good("store", "takes writes, and holds what its anchor has seen"),
        Err(error) => Check::bad(
            "store",
            error.to_string(),
            "stop the node, and run `intelgraph verify` on its directory",
        ),
    }
}

fn format(path: &Path) -> Check {
    let name = "format";
    match fs::read_to_string(path.join("format")) {
        Ok(text) => Check::good(name, text.trim().to_owned()),
        Err(error) => {
            Check::bad(name, format!("`{}`: {error}", path.display()), "name a node's data directory")
        }
    }
}

/// Whether what is over goes, and what is to be erased.
fn erasure(app: &App, view: &View, tenant: TenantId) -> storage::Result<Check> {
    let behind = Duration::from_micros((now_us() - app.clock.believed_us()).unsigned_abs());
    if behind > CLOCK_OFF_MAX {
        let detail =
            "the clock jumped by more than a day, so nothing is purged and little is hidden by its age";
        let fix = "put the clock right, or say `intelgraph purge --accept-clock`";
        return Ok(Check::bad("erasure", detail, fix));
    }
    let going_on = view.erasing()?.iter().filter(|(of, ..)| *of == tenant).count();
    Ok(Check::good("erasure", format!("{going_on} redactions going on, {} holds", view.holds(tenant)?.len())))
}

/// Whether the files of every model are what they were.
fn models(path: &Path) -> Check {
    match embedding::check_installed(path) {
        Ok(count) => Check::good("models", format!("{count} installed")),
        Err(damaged) => Check::bad("models", damaged, "`intelgraph model remove` it, and install it again"),
    }
}

fn encoder(app: &App, tenant: TenantId, head: u64) -> Check {
    let name = "encoder";
    match (app.embedding.model(), app.embedding.problem()) {
        (_, Some(problem)) => Check::bad(name, problem, "install the model, or set `model` to another"),
        (Some(model), None) => {
            let status = app.vectors.status(tenant);
            let (behind, state) = (head.saturating_sub(status.position.0), status.state);
            let what = format!("{}, vectors of {} components", model.name, model.dimension);
            Check::good(name, format!("{what}; index {state}, {behind} records behind"))
        }
        (None, None) => Check::good(name, "no model; search goes by words alone"),
    }
}

/// The first key that others can read, if there is one.
fn keys(path: &Path) -> Check {
    let files = match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()),
        Err(error) => {
            let detail = format!("`{}`: {error}", path.display());
            return Check::bad("keys", detail, "restore them from a backup; nothing can be signed without");
        }
    };
    let checks = files.map(|file| mode("keys", &file, 0o077, "chmod 600"));
    checks.reduce(|worst, next| if worst.ok { next } else { worst }).unwrap_or_else(|| {
        Check::bad("keys", format!("`{}` is empty", path.display()), "restore them from a backup")
    })
}

/// Whether others can do with a path what they should not.
fn mode(name: &str, path: &Path, forbidden: u32, fix: &str) -> Check {
    match fs::metadata(path) {
        Ok(metadata) if metadata.permissions().mode() & forbidden == 0 => {
            Check::good(name, path.display().to_string())
        }
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            Check::bad(
                name,
                format!("`{}` is open to others (mode {mode:o})", path.display()),
                format!("{fix} {}", path.display()),
            )
        }
        Err(error) => Check::bad(name, format!("`{}`: {error}", path.display()), "look at its permissions"),
    }
}

fn space(path: &Path) -> Check {
    let name = "disk";
    match Space::under(path) {
        Ok(Space { free_bytes, needed_bytes }) => {
            let detail = format!("{} MB free; writes stop below {} MB", free_bytes >> 20, needed_bytes >> 20);
            match free_bytes / SPACE_TIMES_MIN > needed_bytes {
                true => Check::good(name, detail),
                false => Check::bad(name, detail, "make room on this disk"),
            }
        }
        Err(error) => Check::bad(name, error.to_string(), "look at the disk"),
    }
}

fn clock(last_us: i64) -> Check {
    let (name, now_us) = ("clock", now_us());
    let ahead_us = last_us.saturating_sub(now_us);
    if ahead_us > CLOCK_OFF_MAX.as_micros() as i64 {
        let detail = format!("it is {}, and the last record is of {}", rfc3339(now_us), rfc3339(last_us));
        return Check::bad(name, detail, "set the clock; records keep the later time until it has come");
    }
    Check::good(name, rfc3339(now_us))
}

fn follower(app: &App, tenant: TenantId, head: u64) -> Check {
    let (name, status) = ("index", app.follow.status(tenant));
    let behind = head.saturating_sub(status.position.0);
    let detail = format!("{}, {behind} records behind, {} skipped", status.state, status.skipped);
    match (status.state, status.reason) {
        ("failed", reason) => {
            let reason = reason.unwrap_or_default();
            Check::bad(
                name,
                format!("{detail}: {reason}"),
                "it is tried again; if it stays, stop the node and delete `index/`",
            )
        }
        (_, _) if status.position == Lsn::NONE && behind > 0 => {
            Check::bad(name, detail, "it is being made; until then searches are refused, so wait a moment")
        }
        (_, _) if status.skipped > 0 => {
            Check::bad(name, detail, "see the node's log for the records that could not be indexed")
        }
        _ => Check::good(name, detail),
    }
}

fn listening(config: &Config) -> Check {
    let (name, address) = ("tls", config.listen);
    match &config.tls_certificate {
        Some(path) => match certificate_lasts(path, CERTIFICATE_LEFT_MIN) {
            Ok(()) => {
                Check::good(name, format!("{address} with `{}`, good for 14 days at least", path.display()))
            }
            Err(error) => Check::bad(
                name,
                format!("{error:#}"),
                "put a new certificate in its place; it is read again by itself",
            ),
        },
        None if address.ip().is_loopback() => {
            Check::good(name, format!("{address}, this machine only, without TLS"))
        }
        None => Check::bad(
            name,
            format!("{address} can be reached from other machines, without TLS"),
            "set tls_certificate and tls_key; without them tokens can be read on the way",
        ),
    }
}
