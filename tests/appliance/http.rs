//! The node's HTTP, spoken without its own client.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

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

impl Http {
    pub(crate) fn new(url: &str, token: &str) -> Http {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Http { runtime, client, url: url.to_owned(), token: token.to_owned() }
    }

    /// Asks a path, with the token.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[("authorization", &format!("Bearer {}", self.token))], Vec::new())
    }

    /// Sends a GraphQL request, with the token.
    pub(crate) fn post(&self, body: &Value) -> Answer {
        let token = format!("Bearer {}", self.token);
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        self.send(Method::POST, "/graphql", &headers, body.to_string().into_bytes())
    }

    /// Runs a persisted operation that must succeed; its data.
    pub(crate) fn graphql(&self, id: &str, variables: Value) -> Value {
        let answer = self.post(&json!({"id": id, "variables": variables}));
        let document = answer.json();
        assert!(answer.status == 200 && document["errors"].is_null(), "{id}: {answer:?}");
        document["data"].clone()
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
