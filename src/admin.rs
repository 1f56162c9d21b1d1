//! The admin socket: what the user that the node runs as may ask without a token, on the node's own machine.
//!
//! `admin.sock` in the data directory takes one JSON document on a line and answers with one. It is there for as long
//! as the node runs. Who may open it could read the data directory anyway, so it gives nobody more than they have.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::app::{App, Shared};
use crate::node::rfc3339;
use crate::{policies, sessions, tokens};

const SOCKET: &str = "admin.sock";
/// The longest path of a socket that the system takes, in bytes, without its end mark.
const PATH_BYTES_MAX: usize = 107;
/// The longest question or answer, in bytes.
const LINE_BYTES_MAX: u64 = 4096;
/// A question and its answer take no longer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What can be asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// A sign-in link for an owner of the node.
    FirstOwner {
        /// The tenant whose owner it is; `None`: `default`.
        tenant: Option<String>,
    },
    /// The built-in policy, in force again.
    ResetPolicy {
        /// The tenant whose policy it is; `None`: `default`.
        tenant: Option<String>,
    },
}

/// The socket of a node that holds its data directory; gone when it is dropped.
pub struct Admin {
    listener: UnixListener,
    path: PathBuf,
}

impl Admin {
    /// Makes the socket. The caller holds the directory, so one that is there already is what a crash left.
    ///
    /// # Errors
    /// If something else has its name, or it cannot be made.
    pub fn bind(data_dir: &Path) -> Result<Admin> {
        let path = data_dir.join(SOCKET);
        remove_left_over(&path)?;
        let listener = at(data_dir, |path| UnixListener::bind(path));
        let listener = listener.with_context(|| format!("admin socket `{}`", path.display()))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Admin { listener, path })
    }

    /// Answers, one after the other, until it is dropped.
    pub async fn run(self, app: Shared) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    if let Ok(Err(error)) = tokio::time::timeout(TIMEOUT, serve(stream, &app)).await {
                        tracing::warn!(%error, "admin socket");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "admin socket");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn remove_left_over(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) => {
            let name = path.display();
            ensure!(
                found.file_type().is_socket(),
                "`{name}` is no socket; the node needs that name, move it away"
            );
            Ok(fs::remove_file(path)?)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("`{}`", path.display())),
    }
}

/// Acts on the socket by a path that is short enough: a long one is reached through its open directory.
fn at<T>(data_dir: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = data_dir.join(SOCKET);
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return act(&path);
    }
    let directory = File::open(data_dir)?;
    act(&PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd())))
}

async fn serve(mut stream: UnixStream, app: &Shared) -> Result<()> {
    // The socket's mode says the same; but there is a moment before it is set.
    let (peer, own) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    ensure!(peer == own || peer == 0, "user {peer} is not the one that the node runs as");
    let answer = match answer_line(&read_line(&mut stream).await?, app).await {
        Ok(answer) => answer,
        Err(error) => json!({"error": {"code": "failed", "message": format!("{error:#}")}}),
    };
    stream.write_all(format!("{answer}\n").as_bytes()).await?;
    Ok(())
}

async fn answer_line(line: &str, app: &Shared) -> Result<Value> {
    let question: Question = serde_json::from_str(line).context("not a question of this version")?;
    let app = Shared::clone(app);
    tokio::task::spawn_blocking(move || answer(&app, question)).await?
}

/// Does what is asked. Waits for the disk.
///
/// # Errors
/// If there is no such tenant, or the store cannot be written.
pub fn answer(app: &App, question: Question) -> Result<Value> {
    let named = |tenant: Option<String>| tenant.unwrap_or_else(|| tokens::FIRST_TENANT.to_owned());
    match question {
        Question::FirstOwner { tenant } => {
            let link = sessions::owner_link(app, &named(tenant))?;
            Ok(json!({"url": link.url, "expires_at": rfc3339(link.expires_us)}))
        }
        Question::ResetPolicy { tenant } => {
            let tenant = named(tenant);
            let version = policies::reset(app, &tenant)?;
            Ok(json!({"tenant": tenant, "version": version, "changed": version.is_some()}))
        }
    }
}

/// Asks the node that runs on a data directory.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` inside if no node runs there, `PermissionDenied` if it is another user's; or what
/// the node says.
pub async fn ask(data_dir: &Path, question: &Question) -> Result<Value> {
    let asking = async {
        let stream = at(data_dir, |path| std::os::unix::net::UnixStream::connect(path))?;
        stream.set_nonblocking(true)?;
        let mut stream = UnixStream::from_std(stream)?;
        stream.write_all(format!("{}\n", serde_json::to_string(question)?).as_bytes()).await?;
        let answer: Value = serde_json::from_str(&read_line(&mut stream).await?)?;
        match answer["error"]["message"].as_str() {
            Some(message) => bail!("{message}"),
            None => Ok(answer),
        }
    };
    tokio::time::timeout(TIMEOUT, asking).await.context("the node does not answer on its admin socket")?
}

async fn read_line(stream: &mut UnixStream) -> Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE_BYTES_MAX)).read_line(&mut line).await?;
    ensure!(line.ends_with('\n'), "no whole line of at most {LINE_BYTES_MAX} bytes");
    Ok(line)
}
