//! The client of a node: persisted operations, and the few streams beside them.

use std::path::Path;
use std::time::Duration;

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use super::{Failure, Global, Result};

const DEFAULT_URL: &str = "http://127.0.0.1:7340";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

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
        let body = json!({"id": operation, "variables": variables});
        let response = self.request(self.http.post(format!("{}/graphql", self.url)).json(&body)).await?;
        let mut answer: Value = response.json().await?;
        if let Some(error) = answer["errors"].get(0) {
            let code = error["extensions"]["code"].as_str().unwrap_or("bad_request");
            let failure = Failure::from_node(code, error["message"].as_str().unwrap_or_default());
            return Err(Failure { details: error["extensions"]["details"].clone(), ..failure });
        }
        Ok(answer["data"].take())
    }

    /// Sends a request to a path; its answer, if it is not a failure.
    pub(super) async fn get(&self, path: &str) -> Result<Response> {
        self.request(self.http.get(format!("{}{path}", self.url))).await
    }

    /// Sends files to be imported; the summary, also of an import that broke off.
    pub(super) async fn import(
        &self,
        query: &[(&str, String)],
        form: reqwest::multipart::Form,
    ) -> Result<Value> {
        let request = self.http.post(format!("{}/api/v1/import", self.url)).query(query).multipart(form);
        let response = self.authorized(request).send().await?;
        match response.status() {
            StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY => Ok(response.json().await?),
            _ => Err(refused(response).await),
        }
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

async fn refused(response: Response) -> Failure {
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    let error = &body["error"];
    match (error["code"].as_str(), error["message"].as_str()) {
        (Some(code), Some(message)) => Failure::from_node(code, message),
        _ => Failure::cannot_tell(
            "unexpected_answer",
            format!("the node answered {status}; is it an IntelGraph node?"),
        ),
    }
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
