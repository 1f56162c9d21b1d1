//! Tokens: made, listed, revoked.

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::machine::Machine;
use super::output::{Output, plain};
use super::{Answer, Failure, Global, Result};
use crate::admin::Question;
use crate::node::{now_us, rfc3339};

/// What to do with tokens.
#[derive(Subcommand)]
pub(super) enum Token {
    /// Make a token; it is shown once
    Create {
        /// What its holder is: owner, admin, analyst, reader, writer or auditor
        #[arg(long)]
        role: String,
        /// A right beyond the role; may be repeated
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// The most that its holder may see: public, internal, confidential, restricted or secret
        #[arg(long, default_value = "public")]
        clearance: String,
        /// What its holder may use data for; may be repeated [default: yours]
        #[arg(long = "purpose", value_name = "PURPOSE", value_delimiter = ',')]
        purposes: Vec<String>,
        /// How long it is good: 12h, 30d, 8w
        #[arg(long, default_value = "30d")]
        expires: String,
    },
    /// Make a link that signs a browser in as the holder of the token in use; good once, for 10 minutes
    Link,
    /// Make a link that signs a browser in as an owner; on the node's machine, without a token; good once, for 30 minutes
    FirstOwner(Machine),
    /// List the tokens of the tenant, without their secrets
    List,
    /// Let in nobody whom the outside issuer names so, or nobody with one of its tokens
    #[command(group = clap::ArgGroup::new("whom").required(true))]
    Deny {
        /// A subject: the claim `sub` of its tokens
        #[arg(long, group = "whom", allow_hyphen_values = true)]
        subject: Option<String>,
        /// One token: its claim `jti`
        #[arg(long, group = "whom", allow_hyphen_values = true)]
        jti: Option<String>,
    },
    /// List whom `deny` shut out
    Denials,
    /// Let a subject of the outside issuer in again
    Allow {
        /// The claim `sub` of its tokens
        #[arg(long, allow_hyphen_values = true)]
        subject: String,
    },
    /// Let nobody in with a token any more
    Revoke {
        /// Its public id
        id: String,
    },
}

impl Token {
    pub(super) async fn run(self, global: &Global, output: &Output) -> Result {
        match self {
            Token::Create { role, scopes, clearance, purposes, expires } => {
                let expires_at = now_us().checked_add(lifetime_us(&expires)?);
                let expires_at = expires_at
                    .ok_or_else(|| Failure::bad_input(format!("lifetime `{expires}`: too long")))?;
                let expires_at = rfc3339(expires_at);
                let purposes = (!purposes.is_empty()).then_some(purposes);
                // The tenant is what the token is for, not where the request goes: it may not exist yet.
                let variables = json!({
                    "tenant": global.tenant, "role": role, "scopes": scopes, "clearance": clearance,
                    "purposes": purposes, "expiresAt": expires_at,
                });
                let own = Global { tenant: None, ..global.clone() };
                let made = Client::new(&own)?.run("tokenCreate:v1", variables).await?;
                let document = snake(&made["tokenCreate"]);
                output.result(&document, |output| output.line(&plain(&document["token"])));
            }
            Token::Link => {
                let made = Client::new(global)?.run("tokenLink:v1", json!({})).await?;
                let link = snake(&made["tokenLink"]);
                output.result(&link, |output| show_link(&link, output));
            }
            Token::FirstOwner(machine) => {
                let link = machine.ask(&Question::FirstOwner { tenant: global.tenant.clone() }).await?;
                output.result(&link, |output| show_link(&link, output));
            }
            Token::List => {
                let found = Client::new(global)?.all("tokenList:v1", json!({}), "tokens").await?;
                let tokens: Vec<_> = found.unwrap_or_default().iter().map(snake).collect();
                output.result(&json!({"tokens": tokens}), |output| print(&tokens, output));
            }
            Token::Deny { subject, jti } => {
                let variables = json!({"subject": subject, "jti": jti});
                let done = Client::new(global)?.run("tokenDeny:v1", variables).await?;
                output.result(&done["tokenDeny"], |output| output.line("denied"));
            }
            Token::Denials => {
                let found = Client::new(global)?.all("tokenDenials:v1", json!({}), "tokenDenials").await?;
                let denials: Vec<_> = found.unwrap_or_default().iter().map(snake).collect();
                output.result(&json!({"denials": denials}), |output| {
                    let columns = ["subject", "jti", "issuer", "denied_at"];
                    let row = |denial: &Value| columns.map(|name| plain(&denial[name])).to_vec();
                    output.table(&columns, &denials.iter().map(row).collect::<Vec<_>>(), "denial");
                });
            }
            Token::Allow { subject } => {
                let done = Client::new(global)?.run("tokenAllow:v1", json!({"subject": subject})).await?;
                output.result(&done["tokenAllow"], |output| output.line(&format!("{subject} may come in")));
            }
            Token::Revoke { id } => {
                let done = Client::new(global)?.run("tokenRevoke:v1", json!({"id": id})).await?;
                output.result(&done["tokenRevoke"], |output| output.line(&format!("revoked {id}")));
            }
        }
        Ok(Answer::Yes)
    }
}

fn show_link(link: &Value, output: &Output) {
    output.line(&plain(&link["url"]));
    output.note(&format!("good once, until {}", plain(&link["expires_at"])));
}

fn print(tokens: &[Value], output: &Output) {
    let columns = [
        "id",
        "tenant",
        "roles",
        "clearance",
        "purpose",
        "made_by",
        "created_at",
        "used_at",
        "expires_at",
        "sessions",
        "revoked_at",
    ];
    let rows: Vec<_> = tokens.iter().map(|token| columns.map(|name| plain(&token[name])).to_vec()).collect();
    output.table(&columns, &rows, "token");
}

/// A token, link or denial in the names of the contract.
fn snake(token: &Value) -> Value {
    let mut document = serde_json::Map::new();
    for (name, value) in token.as_object().into_iter().flatten() {
        let name = match name.as_str() {
            "expiresAt" => "expires_at",
            "createdAt" => "created_at",
            "revokedAt" => "revoked_at",
            "usedAt" => "used_at",
            "madeBy" => "made_by",
            "deniedAt" => "denied_at",
            other => other,
        };
        document.insert(name.to_owned(), value.clone());
    }
    Value::Object(document)
}

/// A lifetime such as `12h`, `30d` or `8w`, in microseconds.
fn lifetime_us(text: &str) -> Result<i64> {
    let wrong = || Failure::bad_input(format!("lifetime `{text}`: a number and h, d or w, such as 30d"));
    let unit = match text.chars().last() {
        Some('h') => 3_600_000_000,
        Some('d') => 24 * 3_600_000_000,
        Some('w') => 7 * 24 * 3_600_000_000,
        _ => return Err(wrong()),
    };
    let count: i64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    count.checked_mul(unit).filter(|lifetime| *lifetime > 0).ok_or_else(wrong)
}
