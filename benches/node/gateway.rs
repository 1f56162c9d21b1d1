//! The gateway itself: readings and writes at 200 a second, and readings beside ten thousand slow connections.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::data::{Graph, Random};
use crate::import::peak_mib;
use crate::node::Node;
use crate::{load, write_graph};

const SLOW: u64 = 10_000;
/// They come from so many addresses, and who was thrown out comes back after this.
const ADDRESSES: u64 = 100;
const RETURN_AFTER: Duration = Duration::from_secs(5);
const BYTE_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn rates(node: &Node, graph: Graph) {
    println!("\nthrough the gateway");
    let read = |turn: u64| json!({"id": graph.id(Random::new(turn).below(graph.entities))});
    println!("  an entity: {}", load(node, 200).operation("entity:v1", &read));
    let event = |turn: u64| event(&format!("e-{turn}"), &json!({"id": format!("e-{turn}"), "type": "host"}));
    println!("  an event, durable: {}", load(node, 200).events("graph", &event));
}

fn event(id: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/bench", "type": "seen", "data": data})
}

/// Once with the limits that a node has by itself, under which most of them are thrown out for each other, and once
/// with limits under which all are held.
pub(crate) fn beside_slow_connections() {
    let held = ["connections_max", "connections_per_address_max"].map(|name| (name, "12000"));
    let patient = ["header_timeout_s", "body_timeout_s", "idle_timeout_s"].map(|name| (name, "600"));
    let all: Vec<_> = held.into_iter().chain(patient).collect();
    for (what, settings) in [("limits as they are", &[][..]), ("all of them held", &all)] {
        println!("\nreadings beside {SLOW} slow connections, {what}");
        let node = Node::start_with(settings);
        let graph = Graph { entities: 20_000, relations: 20_000 };
        let file = write_graph(&node, graph);
        node.import(&file, "jsonl", "graph", &[]).ok();
        let read = |turn: u64| json!({"id": graph.id(Random::new(turn).below(graph.entities))});
        let ask = || load(&node, 200).operation("entity:v1", &read);
        ask();
        println!("  none: {}; node at most {} MiB", ask(), peak_mib(&node));
        let slow = Slow::begin(&node);
        std::thread::sleep(Duration::from_secs(10));
        println!("  {}: {}; node at most {} MiB", slow.open.load(Ordering::Relaxed), ask(), peak_mib(&node));
        println!("  health: {}", load(&node, 200).path("/healthz"));
    }
}

/// Clients that hold connections and hardly say anything; they end when this is dropped.
struct Slow {
    open: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Slow {
    fn begin(node: &Node) -> Slow {
        let slow = Slow { open: Arc::default(), over: Arc::default() };
        let (open, over) = (Arc::clone(&slow.open), Arc::clone(&slow.over));
        let address: SocketAddr = node.url.trim_start_matches("http://").parse().unwrap();
        let body = format!(
            "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 100000\r\n\r\n",
            node.token
        );
        let kinds = [
            Arc::from(""),
            Arc::from("GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: "),
            Arc::<str>::from(body),
        ];
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for number in 0..SLOW {
                    let text = Arc::clone(&kinds[(number % 3) as usize]);
                    tokio::spawn(client(number, address, text, Arc::clone(&open)));
                    // Not all at one blow: that would measure the queue of the listening socket.
                    if number % 20 == 0 {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
                while !over.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            });
        });
        slow
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// One client, that comes again when it was thrown out. Without words it is idle.
async fn client(number: u64, node: SocketAddr, text: Arc<str>, open: Arc<AtomicU64>) {
    let own = Ipv4Addr::new(127, 0, 1, (1 + number % ADDRESSES) as u8);
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        if socket.bind((own, 0).into()).is_ok()
            && let Ok(mut stream) = socket.connect(node).await
        {
            open.fetch_add(1, Ordering::Relaxed);
            let _ = stream.write_all(text.as_bytes()).await;
            let mut byte = [0];
            loop {
                tokio::select! {
                    read = stream.read(&mut byte) => if !matches!(read, Ok(1)) { break },
                    () = tokio::time::sleep(BYTE_EVERY) => {
                        if !text.is_empty() && stream.write_all(b"x").await.is_err() {
                            break;
                        }
                    }
                }
            }
            open.fetch_sub(1, Ordering::Relaxed);
        }
        tokio::time::sleep(RETURN_AFTER).await;
    }
}
