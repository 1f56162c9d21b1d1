//! A load on the node over HTTP: requests leave at a fixed rate whether or not answers come, and each
//! answer's time counts from when its request was due. A node that stalls is charged for the queue.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const JSON: &str = "application/json";
/// Connections that share the rate.
const CONNECTIONS: u32 = 16;

/// Requests at a rate, for a while.
pub(crate) struct Load<'a> {
    /// `http://host:port`.
    pub(crate) url: &'a str,
    pub(crate) token: &'a str,
    pub(crate) per_second: u32,
    pub(crate) seconds: u32,
    /// Ends it before.
    pub(crate) over: Option<&'a AtomicBool>,
}

impl Load<'_> {
    /// Runs a persisted operation again and again, with variables of its own each time.
    pub(crate) fn operation(&self, id: &str, variables: &(dyn Fn(u64) -> Value + Sync)) -> Times {
        self.operation_seen(id, variables, &|_| true)
    }

    /// The same, with a look at each answer.
    pub(crate) fn operation_seen(
        &self,
        id: &str,
        variables: &(dyn Fn(u64) -> Value + Sync),
        is_good: &(dyn Fn(&str) -> bool + Sync),
    ) -> Times {
        let body = |turn| json!({"id": id, "variables": variables(turn)}).to_string();
        self.run(&|turn| self.request("POST", "/graphql", JSON, &body(turn)), &|answer| {
            !answer.contains("\"errors\"") && is_good(answer)
        })
    }

    /// Sends events of a source, one a request; each is on disk before it is answered.
    pub(crate) fn events(&self, source: &str, event: &(dyn Fn(u64) -> Value + Sync)) -> Times {
        let path = format!("/api/v1/events?source={source}");
        let media_type = "application/cloudevents+json";
        self.run(&|turn| self.request("POST", &path, media_type, &event(turn).to_string()), &|answer| {
            answer.contains("\"accepted\":1")
        })
    }

    /// Sends so many events a request; all of one are on disk before it is answered.
    pub(crate) fn batches(&self, source: &str, size: u32, event: &(dyn Fn(u64) -> Value + Sync)) -> Times {
        let path = format!("/api/v1/events?source={source}");
        let media_type = "application/cloudevents-batch+json";
        let size = u64::from(size);
        let batch = |turn: u64| Value::from_iter((turn * size..(turn + 1) * size).map(event)).to_string();
        let good = format!("\"accepted\":{size}");
        self.run(&|turn| self.request("POST", &path, media_type, &batch(turn)), &|answer| {
            answer.contains(&good)
        })
    }

    /// Asks for a path that does nothing: what HTTP itself takes.
    pub(crate) fn path(&self, path: &str) -> Times {
        self.run(&|_| self.request("GET", path, JSON, ""), &|_| true)
    }

    fn request(&self, method: &str, path: &str, media_type: &str, body: &str) -> Vec<u8> {
        let host = self.url.trim_start_matches("http://");
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\
             content-type: {media_type}\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        )
        .into_bytes()
    }

    fn run(
        &self,
        request: &(dyn Fn(u64) -> Vec<u8> + Sync),
        is_good: &(dyn Fn(&str) -> bool + Sync),
    ) -> Times {
        let every = Duration::from_secs(1) * CONNECTIONS / self.per_second;
        let each = u64::from(self.per_second) * u64::from(self.seconds) / u64::from(CONNECTIONS);
        let begun = Instant::now() + Duration::from_millis(50);
        let times = std::thread::scope(|scope| {
            let connections: Vec<_> = (0..CONNECTIONS)
                .map(|connection| {
                    let first = begun + every * connection / CONNECTIONS;
                    scope.spawn(move || {
                        let mut line = Line::open(self.url);
                        let turns = (0..each).take_while(|_| !self.is_over()).map(|turn| {
                            let due = first + every * turn as u32;
                            std::thread::sleep(due.saturating_duration_since(Instant::now()));
                            let answer =
                                line.ask(&request(turn * u64::from(CONNECTIONS) + u64::from(connection)));
                            assert!(is_good(&answer), "{answer}");
                            due.elapsed()
                        });
                        turns.collect::<Vec<_>>()
                    })
                })
                .collect();
            connections.into_iter().flat_map(|connection| connection.join().unwrap()).collect()
        });
        Times { times, took: begun.elapsed() }
    }

    fn is_over(&self) -> bool {
        self.over.is_some_and(|over| over.load(Ordering::Relaxed))
    }
}

/// One kept connection.
struct Line {
    stream: BufReader<TcpStream>,
}

impl Line {
    fn open(url: &str) -> Line {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
        stream.set_nodelay(true).unwrap();
        Line { stream: BufReader::new(stream) }
    }

    fn ask(&mut self, request: &[u8]) -> String {
        self.stream.get_mut().write_all(request).unwrap();
        let mut length = 0;
        loop {
            let mut header = String::new();
            self.stream.read_line(&mut header).unwrap();
            if header == "\r\n" {
                break;
            }
            let is_refusal = ["HTTP/1.1 4", "HTTP/1.1 5"].iter().any(|status| header.starts_with(status));
            assert!(!header.is_empty() && !is_refusal, "{header}");
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    }
}

/// How long each answer took.
pub(crate) struct Times {
    times: Vec<Duration>,
    took: Duration,
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        let rate = sorted.len() as f64 / self.took.as_secs_f64();
        write!(
            f,
            "p50 {:.2}, p95 {:.2}, p99 {:.2}, max {:.1} ms at {rate:.0}/s",
            at(50),
            at(95),
            at(99),
            at(100)
        )
    }
}
