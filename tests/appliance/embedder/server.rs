//! An embedder for tests: HTTP on this machine, spoken byte by byte. It makes vectors of words, or whatever else it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) const DIMENSION: usize = 32;

/// How it answers.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    Well,
    /// With the last text's vector first.
    Backwards,
    /// Well, after so long.
    Late(Duration),
    /// With a status, lines of a head, and a body.
    Says(u16, String, String),
    /// Not at all.
    HangsUp,
    /// With status 400 where one of the texts has this in it.
    Refuses(&'static str),
}

/// What it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) model: String,
    pub(crate) texts: Vec<String>,
}

pub(crate) struct Server {
    pub(crate) url: String,
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    manner: Mutex<Manner>,
    asked: Mutex<Vec<Asked>>,
    is_over: AtomicBool,
}

impl Server {
    pub(crate) fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (manner, asked) = (Mutex::new(Manner::Well), Mutex::default());
        let state = Arc::new(State { manner, asked, is_over: AtomicBool::new(false) });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.serve(&stream));
            }
        });
        Server { url: format!("http://{address}"), address, state }
    }

    pub(crate) fn be(&self, manner: Manner) {
        *held(&self.state.manner) = manner;
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        held(&self.state.asked).clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.asked().into_iter().flat_map(|asked| asked.texts).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        // It waits for the next who comes.
        drop(TcpStream::connect(self.address));
    }
}

impl State {
    /// Answers one request; whoever asked may have gone.
    fn serve(&self, mut stream: &TcpStream) {
        let Some((head, body)) = read(stream) else { return };
        let strings = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let texts: Vec<String> = body["input"].as_array().into_iter().flatten().map(strings).collect();
        held(&self.asked).push(Asked { head, model: strings(&body["model"]), texts: texts.clone() });
        let manner = held(&self.manner).clone();
        let (status, more, body) = match manner {
            Manner::HangsUp => return,
            Manner::Says(status, more, body) => (status, more, body),
            Manner::Refuses(word) if texts.iter().any(|text| text.contains(word)) => {
                (400, String::new(), json!({"error": {"message": texts}}).to_string())
            }
            Manner::Well | Manner::Refuses(_) => (200, String::new(), vectors(&texts, false)),
            Manner::Backwards => (200, String::new(), vectors(&texts, true)),
            Manner::Late(wait) => {
                std::thread::sleep(wait);
                (200, String::new(), vectors(&texts, false))
            }
        };
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} So\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
    }
}

fn read(stream: &TcpStream) -> Option<(String, Value)> {
    let (mut reader, mut head) = (BufReader::new(stream), String::new());
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, serde_json::from_slice(&body).unwrap_or_default()))
}

fn vectors(texts: &[String], backwards: bool) -> String {
    let item = |(index, text): (usize, &String)| json!({"index": index, "embedding": vector(text)});
    let mut data: Vec<Value> = texts.iter().enumerate().map(item).collect();
    if backwards {
        data.reverse();
    }
    json!({"object": "list", "data": data}).to_string()
}

/// Texts are the nearer the more words they share. It is not of unit length.
pub(crate) fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; DIMENSION];
    let lower = text.to_lowercase();
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let mut state = word.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(byte.into()));
        for part in &mut vector {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *part += (state >> 40) as f32 / (1 << 24) as f32 - 0.5;
        }
    }
    vector
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
