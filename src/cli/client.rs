//! The client of a node: persisted operations, and the few streams beside them.

use std::path::Path;
use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::{Failure, Global, Result};
use crate::gateway::operations;
use crate::node;

const DEFAULT_URL: &str = "http://127.0.0.1:7340";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pauses before an operation is sent again.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(1000)];

/// A node, and the right to ask it.
pub(super) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
    tenant: Option<String>,
    purpose: Option<String>,
}

impl Client {
    /// The node and token that flags and environment name.
    pub(super) fn new(global: &Global) -> Result<Client> {
        let url = global
            .url
            .clone()
            .or_else(|| variable("INTELGRAPH_URL"))
            .unwrap_or_else(|| DEFAULT_URL.to_owned());
        Client::to(&url, &token(global)?, global)
    }

    /// A given node and token.
    pub(super) fn to(url: &str, token: &str, global: &Global) -> Result<Client> {
        let url = url.split('#').next().unwrap_or_default().trim_end_matches('/').to_owned();
        // Local nodes must be reached whatever proxies the environment names.
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).no_proxy().http1_only();
        if let Some(path) = global.ca_file.clone().or_else(|| variable("INTELGRAPH_CA_FILE").map(Into::into))
        {
            http = http.tls_certs_only(authorities(&path)?);
        }
        let http = http.build()?;
        let (tenant, purpose) = (global.tenant.clone(), global.purpose_in_use.clone());
        Ok(Client { http, url, token: token.to_owned(), tenant, purpose })
    }

    /// Runs a persisted operation; its data.
    pub(super) async fn run(&self, operation: &str, variables: Value) -> Result<Value> {
        Ok(self.answer(operation, variables).await?["data"].take())
    }

    /// Runs a persisted operation; its data, and what the time was at the node, in microseconds since 1970.
    pub(super) async fn run_dated(&self, operation: &str, variables: Value) -> Result<(Value, Option<i64>)> {
        let (mut answer, date_us) = self.dated(operation, variables).await?;
        Ok((answer["data"].take(), date_us))
    }

    /// Where the node is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Runs a persisted operation; the whole answer, with what was left out of it.
    pub(super) async fn answer(&self, operation: &str, variables: Value) -> Result<Value> {
        Ok(self.dated(operation, variables).await?.0)
    }

    async fn dated(&self, operation: &str, variables: Value) -> Result<(Value, Option<i64>)> {
        let mutation = operations::find(operation).is_some_and(|persisted| persisted.mutation);
        // With a key what changes something can be sent again: it is done once.
        let key = mutation.then(|| node::random::<16>().iter().map(|byte| format!("{byte:02x}")).collect());
        let body = json!({"id": operation, "variables": variables});
        let response = self.send_until_answered(&body, key).await?;
        let (status, date_us) = (response.status(), date_us(&response));
        let answer: Value = response.json().await.unwrap_or_default();
        match answer["errors"].get(0) {
            Some(error) => Err(told(error)),
            None if answer["data"].is_null() => Err(unexpected(status)),
            None => Ok((answer, date_us)),
        }
    }

    /// Every element of a list that an operation gives in pages, at the field `list` of its data.
    pub(super) async fn all(
        &self,
        operation: &str,
        mut variables: Value,
        list: &str,
    ) -> Result<Option<Vec<Value>>> {
        let mut all = Vec::new();
        loop {
            let mut data = self.run(operation, variables.clone()).await?;
            let page = &mut data[list];
            if page.is_null() {
                return Ok(None);
            }
            all.extend(nodes(page));
            if page["pageInfo"]["hasNextPage"] != true {
                return Ok(Some(all));
            }
            variables["after"] = page["pageInfo"]["endCursor"].take();
        }
    }

    /// Sends an operation, and again if the answer got lost or the node is busy for a moment; a query changes nothing,
    /// and a mutation has a key.
    async fn send_until_answered(&self, body: &Value, key: Option<String>) -> Result<Response> {
        let mut waits = RETRY_AFTER.iter();
        loop {
            let mut request = self.http.post(format!("{}/graphql", self.url)).json(body);
            if let Some(key) = &key {
                request = request.header("idempotency-key", key);
            }
            let sent = self.authorized(request).send().await;
            let again = match &sent {
                Ok(response) => response.status() == StatusCode::SERVICE_UNAVAILABLE,
                // Where nothing listens nothing was sent.
                Err(error) => !error.is_connect() && !error.is_builder(),
            };
            match waits.next().filter(|_| again) {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return Ok(sent?),
            }
        }
    }

    /// Sends a request to a path; its answer, if it is not a failure.
    pub(super) async fn get(&self, path: &str) -> Result<Response> {
        self.request(self.http.get(format!("{}{path}", self.url))).await
    }

    /// Sends files to be imported, as a request of that id; the summary, also of an import that broke off.
    pub(super) async fn import(
        &self,
        id: &str,
        query: &[(&str, String)],
        form: reqwest::multipart::Form,
    ) -> Result<Value> {
        self.form(
            self.http.post(format!("{}/api/v1/import", self.url)).header("x-request-id", id),
            query,
            form,
        )
        .await
    }

    /// Sends a form; the answer, also of one whose file cannot be read to its end.
    async fn form(
        &self,
        request: RequestBuilder,
        query: &[(&str, String)],
        form: reqwest::multipart::Form,
    ) -> Result<Value> {
        let request = request.query(query).multipart(form);
        let response = self.authorized(request).send().await?;
        match response.status() {
            StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY => Ok(response.json().await?),
            _ => Err(refused(response).await),
        }
    }

    /// Asks for a file of what may leave.
    pub(super) async fn export(&self, query: &[(&str, String)]) -> Result<Response> {
        self.request(self.http.get(format!("{}/api/v1/export", self.url)).query(query)).await
    }

    /// Asks for a backup.
    pub(super) async fn backup(&self, query: &[(&str, String)]) -> Result<Response> {
        self.request(self.http.post(format!("{}/api/v1/backup", self.url)).query(query)).await
    }

    /// Has the node begin to scrub; since when it does.
    pub(super) async fn scrub(&self) -> Result<Value> {
        let response = self.request(self.http.post(format!("{}/api/v1/scrub", self.url))).await?;
        Ok(response.json().await?)
    }

    /// The models that are installed.
    pub(super) async fn models(&self) -> Result<Value> {
        Ok(self.get("/api/v1/models").await?.json().await?)
    }

    /// Sends a model.
    pub(super) async fn install_model(&self, form: reqwest::multipart::Form) -> Result<Value> {
        let request = self.http.post(format!("{}/api/v1/models", self.url)).multipart(form);
        Ok(self.request(request).await?.json().await?)
    }

    /// Has the files of a model compared with their digests.
    pub(super) async fn verify_model(&self, name: &str) -> Result<Value> {
        let request = self.http.post(format!("{}/verify", self.model_url(name)?));
        Ok(self.request(request).await?.json().await?)
    }

    /// Has a model removed.
    pub(super) async fn remove_model(&self, name: &str) -> Result<()> {
        self.request(self.http.delete(self.model_url(name)?)).await.map(drop)
    }

    /// What cannot be the name of a model is that of none.
    fn model_url(&self, name: &str) -> Result<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        match name.chars().all(is_plain) && !name.starts_with('.') && !name.is_empty() {
            true => Ok(format!("{}/api/v1/models/{name}", self.url)),
            false => Err(Failure::from_node("not_found", &format!("no model `{name}`"))),
        }
    }

    /// Has the node build the vector segment of the tenant; how its index is doing.
    pub(super) async fn build_index(&self) -> Result<Value> {
        let response = self.request(self.http.post(format!("{}/api/v1/index/vectors", self.url))).await?;
        Ok(response.json().await?)
    }

    /// Has judged queries asked, as lines of JSON; what they say of each weight. `told` hears how many were asked, and of how many.
    pub(super) async fn tune(&self, judged: String, told: &dyn Fn(u64, u64)) -> Result<Value> {
        let request = self.http.post(format!("{}/api/v1/search/tune", self.url)).body(judged);
        let mut response = self.request(request).await?;
        let mut text = Vec::new();
        while let Some(piece) = response.chunk().await? {
            text.extend_from_slice(&piece);
            while let Some(end) = memchr::memchr(b'\n', &text) {
                let line: Vec<u8> = text.drain(..=end).collect();
                let mut line: Value = serde_json::from_slice(&line).unwrap_or_default();
                if let Some(error) = line.get("error") {
                    return Err(failure_of(error).unwrap_or_else(|| unexpected(response.status())));
                }
                if let Some(found) = line.get_mut("tuned") {
                    return Ok(found.take());
                }
                told(line["asked"].as_u64().unwrap_or_default(), line["of"].as_u64().unwrap_or_default());
            }
        }
        Err(Failure::cannot_tell("broken_off", "the node ended before all queries were asked; ask again"))
    }

    /// Asks what an import would make of a file.
    pub(super) async fn preview(
        &self,
        query: &[(&str, String)],
        form: reqwest::multipart::Form,
    ) -> Result<Value> {
        self.form(self.http.post(format!("{}/api/v1/import/preview", self.url)), query, form).await
    }

    async fn request(&self, request: RequestBuilder) -> Result<Response> {
        let response = self.authorized(request).send().await?;
        if response.status().is_success() { Ok(response) } else { Err(refused(response).await) }
    }

    fn authorized(&self, mut request: RequestBuilder) -> RequestBuilder {
        request = request.bearer_auth(&self.token);
        if let Some(tenant) = &self.tenant {
            request = request.header("x-ig-tenant", tenant);
        }
        match &self.purpose {
            Some(purpose) => request.header("x-ig-purpose", purpose),
            None => request,
        }
    }
}

/// The time in an answer's head.
fn date_us(response: &Response) -> Option<i64> {
    let date = response.headers().get(reqwest::header::DATE)?.to_str().ok()?;
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(time.as_microsecond())
}

/// Those whose word is taken for the node's certificate.
fn authorities(path: &Path) -> Result<Vec<reqwest::Certificate>> {
    let bad = |problem: String| Failure::bad_input(format!("CA file `{}`: {problem}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&bytes).map_err(|error| bad(error.to_string()))?;
    if found.is_empty() {
        return Err(bad("it holds no certificate; it must be a PEM file".to_owned()));
    }
    Ok(found)
}

/// An error as the node tells it.
fn told(error: &Value) -> Failure {
    let code = error["extensions"]["code"].as_str().unwrap_or("bad_request");
    let failure = Failure::from_node(code, error["message"].as_str().unwrap_or_default());
    Failure { details: error["extensions"]["details"].clone(), ..failure }
}

/// The elements of a page.
pub(super) fn nodes(page: &Value) -> Vec<Value> {
    page["edges"].as_array().into_iter().flatten().map(|edge| edge["node"].clone()).collect()
}

/// To be sent for the next page; null on the last.
pub(super) fn next_cursor(page: &Value) -> &Value {
    if page["pageInfo"]["hasNextPage"] == true { &page["pageInfo"]["endCursor"] } else { &Value::Null }
}

fn unexpected(status: StatusCode) -> Failure {
    let message = format!("the node answered {status}; is it an IntelGraph node?");
    Failure::cannot_tell("unexpected_answer", message)
}

async fn refused(response: Response) -> Failure {
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    failure_of(&body["error"]).unwrap_or_else(|| unexpected(status))
}

fn failure_of(error: &Value) -> Option<Failure> {
    Some(Failure::from_node(error["code"].as_str()?, error["message"].as_str()?))
}

fn token(global: &Global) -> Result<String> {
    let text = match &global.token_file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Failure::bad_input(format!("token file `{}`: {error}", path.display())))?,
        None => variable("INTELGRAPH_TOKEN").ok_or_else(|| {
            Failure::bad_input(
                "no token; set INTELGRAPH_TOKEN or give --token-file (`serve` shows an owner's token once)",
            )
        })?,
    };
    Ok(text.trim().to_owned())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}
