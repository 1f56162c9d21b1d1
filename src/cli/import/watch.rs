//! What the node does with an import meanwhile, as its stream of progress says it.

use std::convert::Infallible;

use indicatif::ProgressBar;
use serde_json::Value;

use crate::cli::client::Client;

/// Longest line of the stream that is kept, in bytes: a node may have thousands of runs, and none of them is ours.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Says beside the bar what has become of the import that came by that request. Never ends: where there is no stream, it
/// is the bar alone that tells.
pub(super) async fn follow(client: &Client, request: &str, bar: &ProgressBar) -> Infallible {
    if let Ok(mut stream) = client.get("/api/v1/progress").await {
        let (mut line, mut is_begun) = (Vec::new(), false);
        while let Ok(Some(piece)) = stream.chunk().await {
            for byte in piece {
                match byte {
                    b'\n' => tell(&std::mem::take(&mut line), request, &mut is_begun, bar),
                    byte if line.len() < LINE_BYTES_MAX => line.push(byte),
                    _ => {}
                }
            }
        }
    }
    std::future::pending().await
}

fn tell(line: &[u8], request: &str, is_begun: &mut bool, bar: &ProgressBar) {
    let Some(data) = line.strip_prefix(b"data: ") else { return };
    let Ok(state) = serde_json::from_slice::<Value>(data) else { return };
    let Some(runs) = state["runs"].as_array() else { return };
    match runs.iter().find(|run| run["request"] == request) {
        Some(run) => {
            *is_begun = true;
            bar.set_message(going(run));
        }
        None if *is_begun => bar.set_message(ended(&state)),
        None => {}
    }
}

fn going(run: &Value) -> String {
    let what = if run["phase"] == "settling" { "settling relations; " } else { "" };
    let counted = ["created", "updated", "unchanged", "rejected"]
        .map(|name| (name, run[name].as_u64().unwrap_or_default()));
    let counted =
        counted.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!(", {count} {name}"));
    let left = run["seconds_left"].as_u64().map(|left| format!("; about {left} s left")).unwrap_or_default();
    format!("{what}{} read{}{left}", run["read"], counted.collect::<String>())
}

fn ended(state: &Value) -> String {
    let (head, found) = (state["lsn"].as_u64(), state["followers"][0]["lsn"].as_u64());
    match head.zip(found).map(|(head, found)| head.saturating_sub(found)) {
        Some(behind) if behind > 0 => format!("durable; {behind} records are not searchable yet"),
        _ => "durable and searchable".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(lines: &[Value]) -> Vec<String> {
        let (bar, mut is_begun) = (ProgressBar::hidden(), false);
        let mut told = Vec::new();
        for line in lines {
            tell(format!("data: {line}").as_bytes(), "request-1", &mut is_begun, &bar);
            told.push(bar.message());
        }
        told
    }

    #[test]
    fn an_import_is_told_from_its_beginning_to_its_end() {
        let run = |request: &str, phase: &str, left: Value| json!({"request": request, "phase": phase, "read": 900, "created": 700, "updated": 0, "unchanged": 0, "rejected": 2, "seconds_left": left});
        let told = told(&[
            json!({"lsn": 5, "runs": [run("another", "reading", Value::Null)]}),
            json!({"lsn": 5, "runs": [run("another", "reading", Value::Null), run("request-1", "reading", json!(7))]}),
            json!({"lsn": 5, "runs": [run("request-1", "settling", Value::Null)]}),
            json!({"lsn": 9, "followers": [{"lsn": 6}], "runs": []}),
            json!({"run": "17", "state": "complete"}),
            json!({"lsn": 9, "followers": [{"lsn": 9}], "runs": []}),
        ]);
        assert_eq!(
            told,
            [
                "",
                "900 read, 700 created, 2 rejected; about 7 s left",
                "settling relations; 900 read, 700 created, 2 rejected",
                "durable; 3 records are not searchable yet",
                "durable; 3 records are not searchable yet",
                "durable and searchable",
            ]
        );
    }
}
