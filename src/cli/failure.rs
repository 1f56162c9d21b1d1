//! Why a command could not answer, and which exit code says so.

use serde_json::{Value, json};

/// A failure of a command.
#[derive(Debug)]
pub struct Failure {
    /// 1: the answer is no; 2: usage or bad input; 3: cannot tell.
    pub exit: u8,
    /// A stable name for scripts.
    pub code: String,
    /// What, the value, the limit; what to do.
    pub message: String,
    /// More for programs.
    pub details: Value,
}

impl Failure {
    /// The input is wrong.
    pub fn bad_input(message: impl Into<String>) -> Failure {
        Failure::new(2, "bad_input", message)
    }

    /// Nobody can say: unreachable, locked, stale.
    pub fn cannot_tell(code: &str, message: impl Into<String>) -> Failure {
        Failure::new(3, code, message)
    }

    /// A failure without details.
    pub fn new(exit: u8, code: &str, message: impl Into<String>) -> Failure {
        Failure { exit, code: code.to_owned(), message: message.into(), details: Value::Null }
    }

    /// What the node answered.
    pub fn from_node(code: &str, message: &str) -> Failure {
        let exit = match code {
            code if code.starts_with("model_") => 2,
            "not_found" | "denied" | "grant_refused" | "purpose_refused" | "superseded" | "held"
            | "redacted" => 1,
            "bad_request"
            | "BAD_USER_INPUT"
            | "GRAPHQL_VALIDATION_FAILED"
            | "body_too_large"
            | "invalid"
            | "exists"
            | "type_conflict"
            | "policy_refused" => 2,
            _ => 3,
        };
        Failure::new(exit, code, message)
    }

    /// The document for stderr.
    pub fn body(&self) -> Value {
        json!({"error": {"code": self.code, "message": self.message, "details": self.details}})
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        match error.downcast_ref::<storage::Error>() {
            Some(storage) => Failure::from(storage.clone()),
            None => Failure::new(3, "failed", format!("{error:#}")),
        }
    }
}

impl From<storage::Error> for Failure {
    fn from(error: storage::Error) -> Failure {
        Failure::new(3, error.code(), error.to_string())
    }
}

impl From<storage::ledger::Error> for Failure {
    fn from(error: storage::ledger::Error) -> Failure {
        Failure::new(3, "ledger", error.to_string())
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Failure {
        let url = error.url().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        if error.is_builder() {
            return Failure::bad_input(format!("node address: {error}; such as http://127.0.0.1:7340"));
        }
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let cause = cause.to_string();
        let advice = if cause.contains("certificate") {
            "if you trust the node, name who vouches for it with --ca-file"
        } else {
            "is it running? start one with `intelgraph serve`"
        };
        Failure::new(3, "unreachable", format!("no answer from the node at `{url}`: {cause}; {advice}"))
    }
}
