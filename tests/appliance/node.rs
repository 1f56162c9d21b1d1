//! A node under test: started, killed, restarted, stopped; and the commands that are run against it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::http::Http;

/// A node whose place has a file of this name has its settings from there.
const SETTINGS: &str = "settings.toml";
const PROGRAM: &str = env!("CARGO_BIN_EXE_intelgraph");
/// A node that was told to stop has stopped by then.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A node and its directory; killed when it is dropped.
pub(crate) struct Node {
    place: TempDir,
    data_dir: PathBuf,
    /// Variables of its environment.
    settings: Vec<(String, String)>,
    /// What starts it, if it is not started by itself: a program and its arguments, which end in the node's.
    under: Vec<String>,
    /// Who vouches for its certificate, if it has one.
    pub(crate) ca_file: Option<PathBuf>,
    process: Option<Child>,
    pub(crate) url: String,
    /// The owner's token, shown when the node was new.
    pub(crate) token: String,
    /// What the node said when it was ready.
    pub(crate) ready: Value,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) json: Value,
    pub(crate) stderr: String,
}

impl Node {
    /// A new node in a new directory.
    pub(crate) fn start() -> Node {
        let place = tempfile::tempdir().expect("a directory");
        let data_dir = place.path().join("data");
        Node::begin(place, data_dir, &[])
    }

    /// A new node with settings: names without their prefix, and values.
    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Node {
        let place = tempfile::tempdir().expect("a directory");
        let data_dir = place.path().join("data");
        Node::begin(place, data_dir, settings)
    }

    /// A new node with a settings file.
    pub(crate) fn start_configured(settings: &str) -> Node {
        let place = tempfile::tempdir().expect("a directory");
        std::fs::write(place.path().join(SETTINGS), settings).expect("a file");
        let data_dir = place.path().join("data");
        Node::begin(place, data_dir, &[])
    }

    /// A new node that another program starts, with settings: one that limits what the node has.
    pub(crate) fn start_under(under: &[&str], settings: &[(&str, &str)]) -> Node {
        let place = tempfile::tempdir().expect("a directory");
        let data_dir = place.path().join("data");
        let under = under.iter().map(|word| (*word).to_owned()).collect();
        Node::begin_under(place, data_dir, settings, under)
    }

    /// A new node whose data are elsewhere.
    pub(crate) fn start_in(data_dir: PathBuf) -> Node {
        Node::begin(tempfile::tempdir().expect("a directory"), data_dir, &[])
    }

    /// A node on a directory that another node has left; what the program said if it does not start.
    pub(crate) fn over(data_dir: PathBuf) -> Result<Node, Ran> {
        Node::over_under(data_dir, &[])
    }

    /// The same, started by another program.
    pub(crate) fn over_under(data_dir: PathBuf, under: &[&str]) -> Result<Node, Ran> {
        let place = tempfile::tempdir().expect("a directory");
        let under = under.iter().map(|word| (*word).to_owned()).collect();
        let mut node = Node::at(place, data_dir, Vec::new(), under);
        node.try_restart().map(|()| node)
    }

    fn at(place: TempDir, data_dir: PathBuf, settings: Vec<(String, String)>, under: Vec<String>) -> Node {
        let (url, token, ready) = Default::default();
        Node { place, data_dir, settings, under, ca_file: None, process: None, url, token, ready }
    }

    fn begin(place: TempDir, data_dir: PathBuf, settings: &[(&str, &str)]) -> Node {
        Node::begin_under(place, data_dir, settings, Vec::new())
    }

    fn begin_under(place: TempDir, data_dir: PathBuf, settings: &[(&str, &str)], under: Vec<String>) -> Node {
        let variable = |(name, value): &(&str, &str)| {
            (format!("INTELGRAPH_{}", name.to_ascii_uppercase()), (*value).to_owned())
        };
        let settings = settings.iter().map(variable).collect();
        let (url, token, ready) = Default::default();
        let mut node =
            Node { place, data_dir, settings, under, ca_file: None, process: None, url, token, ready };
        node.restart();
        assert!(!node.token.is_empty(), "a new node shows its owner's token");
        node
    }

    /// Starts the node on the directory that it has.
    pub(crate) fn restart(&mut self) {
        if let Err(ran) = self.try_restart() {
            panic!("the node is not ready: {ran:?}");
        }
    }

    /// Starts the node on the directory that it has; what it said if it is not to be had.
    fn try_restart(&mut self) -> Result<(), Ran> {
        assert!(self.process.is_none(), "the node is running already");
        let (mut process, stdout) = self.spawn();
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("stdout");
        let Ok(ready) = serde_json::from_str::<Value>(&line) else {
            let status = process.wait().expect("the node is this process's child");
            return Err(Ran { exit: status.code().unwrap_or(-1), json: line.into(), stderr: self.log() });
        };
        assert_eq!(ready["ready"], true, "{ready}");
        self.url = ready["url"].as_str().expect("an address").to_owned();
        if let Some(token) = ready["token"].as_str() {
            self.token = token.to_owned();
        }
        self.ready = ready;
        self.process = Some(process);
        Ok(())
    }

    /// Starts the node and kills it so soon that it may not have been ready.
    pub(crate) fn start_and_kill_after(&mut self, wait: Duration) {
        let (mut process, _stdout) = self.spawn();
        std::thread::sleep(wait);
        process.kill().expect("kill");
        process.wait().expect("the node is this process's child");
    }

    fn spawn(&self) -> (Child, ChildStdout) {
        let log =
            File::options().create(true).append(true).open(self.place.path().join("log")).expect("a log");
        let mut command = self.program();
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"]).arg(self.data_dir());
        let settings = self.file(SETTINGS);
        if settings.exists() {
            command.arg("--config").arg(settings);
        }
        let mut process = command
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let stdout = process.stdout.take().expect("piped");
        (process, stdout)
    }

    fn program(&self) -> Command {
        let [first, more @ ..] = self.under.as_slice() else { return program() };
        let mut command = Command::new(first);
        command.env_clear().stdin(Stdio::null()).args(more).arg(PROGRAM);
        command
    }

    /// Kills the node as a crash would: nothing is flushed, nobody is told.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("running");
        process.kill().expect("kill");
        process.wait().expect("the node is this process's child");
    }

    /// Sends the node a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(self.process.as_ref().expect("running"));
        rustix::process::kill_process(pid, signal).expect("a signal");
    }

    /// Tells the node to stop, and checks that it does so in time and in order.
    pub(crate) fn stop(&mut self) {
        self.signal(rustix::process::Signal::TERM);
        let mut process = self.process.take().expect("running");
        let begun = Instant::now();
        loop {
            if let Some(status) = process.try_wait().expect("the node is this process's child") {
                assert_eq!(status.code(), Some(0), "exit of a node that was told to stop\n{}", self.log());
                assert!(!self.log().contains(") panicked at"), "a thread of the node died\n{}", self.log());
                return;
            }
            if begun.elapsed() > STOP_TIMEOUT {
                let _ = process.kill();
                let _ = process.wait();
                panic!("the node did not stop within {STOP_TIMEOUT:?}\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Tells the node to stop, whatever became of it before.
    pub(crate) fn end(mut self) {
        let Some(mut process) = self.process.take() else { return };
        let pid = rustix::process::Pid::from_child(&process);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let begun = Instant::now();
        while process.try_wait().expect("the node is this process's child").is_none() {
            assert!(
                begun.elapsed() < STOP_TIMEOUT,
                "the node did not stop within {STOP_TIMEOUT:?}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().expect("running").id()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.data_dir.clone()
    }

    /// A path for a file beside the node's data.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Writes a file beside the node's data.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// What the node said on stderr.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.place.path().join("log")).unwrap_or_default()
    }

    /// Runs a command with the owner's token.
    pub(crate) fn cli(&self, args: &[&str]) -> Ran {
        self.cli_as(&self.token, args)
    }

    /// Runs a command with another token.
    pub(crate) fn cli_as(&self, token: &str, args: &[&str]) -> Ran {
        run(self.command(token, args))
    }

    /// A command with a token, to be run.
    pub(crate) fn command(&self, token: &str, args: &[&str]) -> Command {
        let mut command = program();
        command.env("INTELGRAPH_URL", &self.url).env("INTELGRAPH_TOKEN", token).args(args).arg("--json");
        command.current_dir(self.place.path());
        if let Some(ca_file) = &self.ca_file {
            command.env("INTELGRAPH_CA_FILE", ca_file);
        }
        command
    }

    /// Imports a file as a source whose terms are the usual ones; `more` goes behind them.
    pub(crate) fn import(&self, file: &Path, format: &str, source: &str, more: &[&str]) -> Ran {
        self.cli(&import_args(file, format, source, more))
    }

    /// Makes a token; `args` as for `token create`.
    pub(crate) fn new_token(&self, args: &[&str]) -> String {
        let args: Vec<&str> = ["token", "create"].into_iter().chain(args.iter().copied()).collect();
        self.cli(&args).ok()["token"].as_str().expect("a token").to_owned()
    }

    pub(crate) fn http(&self) -> Http {
        Http::new(&self.url, &self.token)
    }

    pub(crate) fn http_as(&self, token: &str) -> Http {
        Http::new(&self.url, token)
    }

    /// Stops the node and checks everything that it left on disk.
    pub(crate) fn stop_and_verify(&mut self) -> Value {
        self.stop();
        let data_dir = self.data_dir();
        let report = self.cli(&["verify", data_dir.to_str().expect("UTF-8")]).ok();
        assert_eq!((&report["ok"], &report["problems"]), (&true.into(), &serde_json::json!([])), "{report}");
        report
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if std::thread::panicking() {
            println!("the node said:\n{}", self.log());
        }
    }
}

impl Ran {
    /// What the command printed; it must have answered yes.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.exit, 0, "stderr: {}\nstdout: {}", self.stderr, self.json);
        self.json
    }

    /// The failure that the command reported; it must be of that exit and code.
    pub(crate) fn failed(&self, exit: i32, code: &str) -> String {
        let error = self.error();
        assert_eq!((self.exit, error["code"].as_str()), (exit, Some(code)), "{self:?}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "a failure says what it is: {self:?}");
        message.to_owned()
    }

    /// The failure on stderr, which is one JSON document on its last line.
    pub(crate) fn error(&self) -> Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        let document: Value =
            serde_json::from_str(last).unwrap_or_else(|_| panic!("no JSON on stderr: {self:?}"));
        document["error"].clone()
    }
}

/// The program, without what the environment of the tests says.
pub(crate) fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().stdin(Stdio::null());
    command
}

/// The same with variables of its environment: `NAME=VALUE`.
pub(crate) fn program_under(variables: &[&str]) -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.env_clear().stdin(Stdio::null()).args(variables).arg(PROGRAM);
    command
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command) -> Ran {
    let output = command.output().expect("the program starts");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8 on stdout");
    let json = if stdout.trim().is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&stdout).unwrap_or_else(|_| stdout.into())
    };
    let stderr = String::from_utf8(output.stderr).expect("UTF-8 on stderr");
    Ran { exit: output.status.code().unwrap_or(-1), json, stderr }
}

/// Runs a command that must end by itself; one that serves instead is killed.
pub(crate) fn run_briefly(mut command: Command) -> Ran {
    let mut process =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let begun = Instant::now();
    let exit = loop {
        if let Some(status) = process.try_wait().expect("a child") {
            break status.code().unwrap_or(-1);
        }
        if begun.elapsed() > STOP_TIMEOUT {
            let _ = process.kill();
            break -1;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let (mut stdout, mut stderr) = (String::new(), String::new());
    process.stdout.take().expect("piped").read_to_string(&mut stdout).expect("UTF-8");
    process.stderr.take().expect("piped").read_to_string(&mut stderr).expect("UTF-8");
    let _ = process.wait();
    Ran { exit, json: serde_json::from_str(&stdout).unwrap_or_else(|_| stdout.into()), stderr }
}

/// The arguments that import a file on the usual terms.
pub(crate) fn import_args<'a>(
    file: &'a Path,
    format: &'a str,
    source: &'a str,
    more: &[&'a str],
) -> Vec<&'a str> {
    let file = file.to_str().expect("UTF-8");
    let mut args = vec!["import", file, "--format", format, "--source", source];
    args.extend(["--purpose", "threat-intel", "--licence", "Open-Data-OK"]);
    args.extend(more);
    args
}
