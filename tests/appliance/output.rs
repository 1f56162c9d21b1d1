//! What commands print, word for word: for a person at a terminal, for a pipe, and as JSON; and how they exit.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

use crate::node::{Node, Ran, program, run};

/// A node whose two relations have ids that do not change.
fn with_data() -> Node {
    let node = Node::start();
    let host =
        |id: &str, name: &str| json!({"id": id, "type": "host", "attributes": {"name": name}}).to_string();
    let joined = |id: &str, to: &str, since: &str| {
        json!({"relation": "talks-to", "id": id, "from": "h-1", "to": to, "weight": 0.5, "since": since})
            .to_string()
    };
    let lines = [
        host("h-1", "gate"),
        host("h-2", "a name with\ta tab and \u{1b}[31mcolour"),
        joined("r-1", "h-2", "2026-01-01T00:00:00Z"),
        joined("r-2", &long_id(), "2026-02-01T00:00:00Z"),
        host(&long_id(), "long"),
    ];
    let file = node.write("lines.jsonl", lines.join("\n"));
    node.import(&file, "jsonl", "lines", &[]).ok();
    node
}

fn long_id() -> String {
    format!("h-{}", "x".repeat(80))
}

fn command(node: &Node, args: &[&str]) -> Command {
    let mut command = program();
    command.env("INTELGRAPH_URL", &node.url).env("INTELGRAPH_TOKEN", &node.token).args(args);
    command
}

/// What a command prints where a person sits.
fn at_a_terminal(mut command: Command) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("a terminal");
    unlockpt(&master).expect("a terminal");
    let name = ptsname(&master, Vec::new()).expect("a name");
    let slave =
        File::options().read(true).write(true).open(name.to_str().expect("UTF-8")).expect("the other end");
    let mut process =
        command.stdout(Stdio::from(slave)).stderr(Stdio::null()).spawn().expect("the program starts");
    drop(command);
    let (mut master, mut printed) = (File::from(master), Vec::new());
    // The end of a terminal is an error.
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = master.read(&mut piece) {
        printed.extend_from_slice(&piece[..count]);
    }
    process.wait().expect("a child");
    String::from_utf8(printed).expect("UTF-8").replace("\r\n", "\n")
}

fn in_a_pipe(command: Command) -> String {
    run(command).json.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_table_is_aligned_and_counted_for_a_person_and_whole_in_a_pipe() {
    let node = with_data();
    let args = ["relations", "h-1", "--direction", "out"];
    let cut = format!("h-{}...", "x".repeat(55));
    let expected = format!(
        "\u{1b}[2mKIND      FROM  TO{:60}WEIGHT  SINCE                 SOURCE  STATUS  ID\u{1b}[0m\n\
         talks-to  h-1   {:60}  0.5     2026-01-01T00:00:00Z  lines   active  r-1\n\
         talks-to  h-1   {cut}  0.5     2026-02-01T00:00:00Z  lines   active  r-2\n\
         \u{1b}[2m2 relations\u{1b}[0m\n",
        "", "h-2"
    );
    let shown = at_a_terminal(command(&node, &args));
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&shown), sorted(&expected), "\n{shown}\n{expected}");
    let mut plain = command(&node, &args);
    plain.env("NO_COLOR", "1");
    assert!(!at_a_terminal(plain).contains('\u{1b}'), "no colour if none is wanted");

    let piped = in_a_pipe(command(&node, &args));
    let row = format!("talks-to\th-1\t{}\t0.5\t2026-02-01T00:00:00Z\tlines\tactive\tr-2", long_id());
    assert!(piped.lines().any(|line| line == row), "{piped}");
    assert_eq!(piped.lines().count(), 2, "no head and no count: {piped}");
}

#[test]
fn what_sources_say_does_not_steer_a_terminal_nor_break_a_row() {
    let node = with_data();
    for printed in [
        at_a_terminal(command(&node, &["search", "tab"])),
        at_a_terminal(command(&node, &["entity", "get", "h-2"])),
        in_a_pipe(command(&node, &["entity", "get", "h-2"])),
    ] {
        assert!(printed.contains("colour") && !printed.contains("\u{1b}[31m"), "{printed:?}");
    }
    let piped = in_a_pipe(command(&node, &["search", "gate"]));
    assert_eq!(piped, "1.00\thost\th-1\tgate\tgate\n", "a hit is a line, and nothing else is one");
    let piped = in_a_pipe(command(&node, &["entity", "get", "h-2"]));
    let row = piped.lines().find(|line| line.starts_with("name\t")).expect("a row");
    assert_eq!(row.split('\t').count(), 5, "{row:?}");
}

fn check<'a>(document: &'a Value, name: &str) -> &'a Value {
    let checks = document["checks"].as_array().expect("checks");
    checks
        .iter()
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no check `{name}` in {document}"))
}

#[test]
fn the_doctor_looks_at_a_node_that_runs() {
    let node = with_data();
    let begun = std::time::Instant::now();
    let found = node.cli(&["doctor"]).ok();
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    for name in [
        "node",
        "client",
        "clocks",
        "version",
        "store",
        "format",
        "data_directory",
        "keys",
        "disk",
        "clock",
        "erasure",
        "index",
        "tls",
    ] {
        let check = check(&found, name);
        assert!(check["ok"] == true && check["fix"].is_null() && check["detail"] != "", "{check}");
    }
    let data_dir = node.data_dir();
    let key =
        std::fs::read_dir(data_dir.join("keys")).expect("keys").next().expect("a key").expect("an entry");
    std::fs::set_permissions(key.path(), std::fs::Permissions::from_mode(0o644)).expect("chmod");
    let ran = node.cli(&["doctor"]);
    assert_eq!(ran.exit, 1, "{ran:?}");
    let keys = check(&ran.json, "keys");
    assert!(keys["ok"] == false && keys["fix"].as_str().is_some_and(|fix| fix.contains("chmod")), "{keys}");
    let shown = at_a_terminal(command(&node, &["doctor"]));
    assert!(shown.contains("PROBLEM") && shown.contains("to do: chmod"), "{shown}");
    // Others are not told.
    let admin = node.new_token(&["--role", "admin"]);
    let ran = node.cli_as(&admin, &["doctor"]);
    assert_eq!((ran.exit, check(&ran.json, "node")["ok"].as_bool()), (3, Some(false)), "{ran:?}");
    // A stopped one is another's business while it runs.
    let ran = node.cli(&["doctor", "--data-dir", data_dir.to_str().expect("UTF-8")]);
    assert!(ran.failed(3, "in_use").contains(&node.pid().to_string()), "{ran:?}");
}

#[test]
fn the_doctor_looks_at_a_node_that_is_stopped_and_changes_nothing() {
    let mut node = with_data();
    node.stop();
    let data_dir = node.data_dir();
    let files = || {
        let entries = std::fs::read_dir(&data_dir).expect("a directory").flatten();
        let mut files: Vec<_> = entries
            .map(|entry| (entry.file_name(), entry.metadata().expect("metadata").modified().expect("a time")))
            .collect();
        files.sort();
        files
    };
    let before = files();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let doctor = |address: &str| {
        let mut command = program();
        command.args(["doctor", "--json", "--data-dir"]).arg(&data_dir).env("INTELGRAPH_LISTEN", address);
        run(command)
    };
    let ran = doctor(&address);
    assert_eq!((ran.exit, check(&ran.json, "port")["ok"].as_bool()), (1, Some(false)), "{ran:?}");
    drop(taken);
    assert!(doctor(&address).ok()["checks"].as_array().is_some_and(|checks| checks.len() > 5));
    assert_eq!(files(), before, "it only looks");
    let gone = node.cli(&["doctor"]);
    assert_eq!((gone.exit, check(&gone.json, "node")["ok"].as_bool()), (3, Some(false)), "{gone:?}");
    std::fs::remove_file(data_dir.join("store.redb")).expect("the database");
    let ran = doctor("127.0.0.1:0");
    assert_eq!(
        (ran.exit, check(&ran.json, "database")["fix"].as_str()),
        (1, Some("restore a backup")),
        "{ran:?}"
    );
    let mut command = program();
    command.args(["doctor", "--json", "--data-dir", "/nowhere"]);
    run(command).failed(2, "bad_input");
}

fn config(args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = program();
    command.args(["config", "show", "--json"]).args(args).envs(variables.iter().copied());
    run(command)
}

#[test]
fn every_setting_says_where_it_comes_from() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("settings.toml");
    std::fs::write(&file, "# a comment\nlog = \"warn\"\n\nconnections_max = 77\nidle_timeout_s = 9\n")
        .expect("a file");
    let path = file.to_str().expect("UTF-8");
    let shown = config(
        &["--config", path, "--listen", "127.0.0.1:1"],
        &[("INTELGRAPH_IDLE_TIMEOUT_S", "8"), ("INTELGRAPH_URL", "http://127.0.0.1:2")],
    )
    .ok();
    let setting = |name: &str| {
        let all = shown["settings"].as_array().expect("settings");
        all.iter().find(|setting| setting["name"] == name).unwrap_or_else(|| panic!("no `{name}`")).clone()
    };
    let told = |name: &str| {
        let setting = setting(name);
        (setting["value"].clone(), setting["origin"].clone(), setting["place"].clone())
    };
    assert_eq!(told("log"), (json!("warn"), json!("file"), json!(format!("{path}:2"))));
    assert_eq!(told("connections_max"), (json!(77), json!("file"), json!(format!("{path}:4"))));
    assert_eq!(told("idle_timeout_s"), (json!(8), json!("environment"), json!("INTELGRAPH_IDLE_TIMEOUT_S")));
    assert_eq!(told("listen"), (json!("127.0.0.1:1"), json!("flag"), json!("--listen")));
    assert_eq!(told("dev"), (json!(false), json!("default"), Value::Null));
    assert_eq!(told("tls_key").0, Value::Null);

    std::fs::write(&file, "conections_max = 77\n").expect("a file");
    let message = config(&["--config", path], &[]).failed(2, "bad_input");
    assert!(message.contains("line 1") && message.contains("did you mean `connections_max`?"), "{message}");
    let message = config(&[], &[("INTELGRAPH_LISTN", "x")]).failed(2, "bad_input");
    assert!(message.contains("INTELGRAPH_LISTN") && message.contains("`listen`"), "{message}");
}

#[test]
fn completions_and_suggestions_know_the_commands() {
    for (shell, word) in
        [("bash", "complete -F"), ("zsh", "#compdef intelgraph"), ("fish", "complete -c intelgraph")]
    {
        let mut command = program();
        command.args(["completions", shell]);
        let ran = run(command);
        let script = ran.json.as_str().expect("a script").to_owned();
        assert!(ran.exit == 0 && script.contains(word) && script.contains("doctor"), "{shell}");
    }
    for (typed, meant) in
        [(vec!["serch", "x"], "search"), (vec!["import", "x", "--formt", "csv"], "--format")]
    {
        let mut command = program();
        command.args(&typed);
        let ran = run(command);
        assert!(ran.exit == 2 && ran.stderr.contains(meant), "{ran:?}");
    }
}

#[test]
fn every_exit_code_means_what_it_says() {
    let node = with_data();
    let exits = |args: &[&str]| node.cli(args).exit;
    for (exit, args) in [
        (0, &["search", "nothingatall"][..]),
        (0, &["search", "gate"]),
        (0, &["entity", "get", "h-1"]),
        (1, &["entity", "get", "nobody"]),
        (1, &["relations", "nobody"]),
        (1, &["path", "h-2", "h-1", "--kind", "never"]),
        (1, &["export", "--format", "csv", "--source", "nobody"]),
        (2, &["export"]),
        (2, &["import", "nowhere.json", "--format", "stix", "--source", "s"]),
        (2, &["completions", "powerhell"]),
        (2, &["entity", "get"]),
        (3, &["--url", "http://127.0.0.1:1", "entity", "get", "h-1"]),
    ] {
        assert_eq!(exits(args), exit, "{args:?}");
    }
    assert_eq!(node.cli_as("ig_tok_0000000000_x", &["entity", "get", "h-1"]).exit, 3, "a bad token");
}
