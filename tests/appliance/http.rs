//! The node's HTTP, spoken without its own client.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A node that does nothing for so long does nothing any more.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client that keeps its connection.
pub(crate) struct Http {
    runtime: Runtime,
    client: reqwest::Client,
    url: String,
    token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// One connection, spoken byte by byte.
pub(crate) struct Line(pub(crate) TcpStream);

impl Line {
    pub(crate) fn to(url: &str) -> Line {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("the node listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        Line(stream)
    }

    /// Sends what it can: the node may have hung up.
    pub(crate) fn say(&mut self, text: &str) -> bool {
        self.0.write_all(text.as_bytes()).is_ok()
    }

    /// Everything that comes until the node hangs up; a node that does not is a failure.
    pub(crate) fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let mut piece = [0; 16 * 1024];
        loop {
            match self.0.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
                Err(error) => panic!("the node does not hang up: {error}"),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The head of the next answer, and its body if it says how long that is.
    pub(crate) fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") && self.0.read(&mut byte).expect("an answer") == 1 {
            answer.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).expect("the whole body");
        answer.extend(body);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Http {
    pub(crate) fn new(url: &str, token: &str) -> Http {
        Http::with(reqwest::Client::builder(), url, token)
    }

    /// A client that is built as wanted.
    pub(crate) fn with(client: reqwest::ClientBuilder, url: &str, token: &str) -> Http {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = client.no_proxy().build().expect("a client");
        Http { runtime, client, url: url.to_owned(), token: token.to_owned() }
    }

    /// Asks a path, with the token.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[("authorization", &format!("Bearer {}", self.token))], Vec::new())
    }

    /// Sends a GraphQL request, with the token.
    pub(crate) fn post(&self, body: &Value) -> Answer {
        self.post_for(None, body)
    }

    /// Sends a GraphQL request, with the token, that names a tenant.
    pub(crate) fn post_for(&self, tenant: Option<&str>, body: &Value) -> Answer {
        let token = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", token.as_str()), ("content-type", "application/json")];
        headers.extend(tenant.map(|tenant| ("x-ig-tenant", tenant)));
        self.send(Method::POST, "/graphql", &headers, body.to_string().into_bytes())
    }

    /// Runs a persisted operation that must succeed; its data.
    pub(crate) fn graphql(&self, id: &str, variables: Value) -> Value {
        let answer = self.post(&json!({"id": id, "variables": variables}));
        let document = answer.json();
        assert!(answer.status == 200 && document["errors"].is_null(), "{id}: {answer:?}");
        document["data"].clone()
    }

    /// Sends a GraphQL request to a node that may be gone; the document that came back.
    pub(crate) fn try_post(&self, body: &Value) -> Option<Value> {
        let request = self.client.post(format!("{}/graphql", self.url)).bearer_auth(&self.token).json(body);
        self.runtime.block_on(async { request.send().await.ok()?.json().await.ok() })
    }

    /// Sends a request that may fail before there is an answer.
    pub(crate) fn try_get(&self, path: &str) -> reqwest::Result<(reqwest::Version, u16)> {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        self.runtime.block_on(async {
            request.send().await.map(|answer| (answer.version(), answer.status().as_u16()))
        })
    }

    /// The elements on the first page of a list that a persisted operation gives.
    pub(crate) fn list(&self, id: &str, variables: Value, list: &str) -> Vec<Value> {
        let data = self.graphql(id, variables);
        let edges = data[list]["edges"].as_array().unwrap_or_else(|| panic!("{id}: no list: {data}"));
        edges.iter().map(|edge| edge["node"].clone()).collect()
    }

    pub(crate) fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.runtime.block_on(async { Answer::of(request.send().await.expect("an answer")).await })
    }
}

impl Answer {
    async fn of(response: Response) -> Answer {
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").to_owned()))
            .collect();
        Answer {
            status: response.status().as_u16(),
            headers,
            body: response.text().await.expect("a whole body"),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// What it tells, but for the number of the request.
    pub(crate) fn told(&self) -> String {
        self.body.replace(self.header("x-request-id").expect("every answer names its request"), "REQUEST")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of an error in the body.
    pub(crate) fn code(&self) -> String {
        let document = self.json();
        let code =
            document["error"]["code"].as_str().or(document["errors"][0]["extensions"]["code"].as_str());
        code.unwrap_or_default().to_owned()
    }
}
