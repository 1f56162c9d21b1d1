//! Lets each field be answered only as the schema declares it ([`super::declared`]): the one place where the gateway
//! enforces `@auth`. A field that declares nothing is answered to nobody.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
};
use async_graphql::{
    ErrorExtensions, PathSegment, QueryPathNode, QueryPathSegment, Response, ServerError, ServerResult, Value,
};
use tokio::sync::Semaphore;

use super::declared::{DECLARED, Rule};
use crate::app::Shared;
use crate::gateway::errors::Failure;
use crate::policy::{Action, Principal};

/// Readings of one request at a time; the others wait.
const READINGS_AT_A_TIME: usize = 4;

/// Makes the gate of each request.
pub(super) struct Gate;

/// What is noted while a request is answered.
pub(super) struct Progress {
    /// Places for its readings: one request holds few threads, however many fields it begins with.
    pub(super) readings: Semaphore,
    began: AtomicBool,
    elided: Mutex<BTreeSet<String>>,
    asked: Mutex<BTreeSet<(String, Action)>>,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress {
            readings: Semaphore::new(READINGS_AT_A_TIME),
            began: AtomicBool::default(),
            elided: Mutex::default(),
            asked: Mutex::default(),
        }
    }
}

impl Progress {
    /// Whether the request was sound, and its operation begun.
    pub(super) fn has_begun(&self) -> bool {
        self.began.load(Ordering::Relaxed)
    }

    /// The fields that are null because the caller may not see them, by their place in the answer.
    pub(super) fn elided(&self) -> Vec<String> {
        locked(&self.elided).iter().cloned().collect()
    }

    /// Notes which actions were decided on labels for a field of the root, by its name in the answer.
    pub(super) fn note_asked(&self, field: &str, actions: BTreeSet<Action>) {
        locked(&self.asked).extend(actions.into_iter().map(|action| (field.to_owned(), action)));
    }

    fn was_asked(&self, field: &str, action: Action) -> bool {
        locked(&self.asked).contains(&(field.to_owned(), action))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ExtensionFactory for Gate {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Gate)
    }
}

#[async_trait]
impl Extension for Gate {
    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        context.data_unchecked::<Arc<Progress>>().began.store(true, Ordering::Relaxed);
        next.run(context, operation_name).await
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        // An element of a list that was let through as a whole; or what tools ask about the schema, who get so far only
        // with the right to send documents.
        let element = matches!(info.path_node.segment, QueryPathSegment::Index(_));
        if element || info.is_for_introspection || info.name.starts_with("__") {
            return next.run(context, info).await;
        }
        let (name, path) = (info.name, info.path_node);
        let rule = DECLARED.field(info.parent_type, name).and_then(|field| field.rule);
        match rule {
            Some(Rule::Public) => next.run(context, info).await,
            Some(Rule::Auth(action)) if action.is_read() => {
                let found = next.run(context, info).await?;
                if path.parent.is_some() && is_empty(found.as_ref()) {
                    elide(context, path);
                }
                labels_were_asked(context, path, action, found).map_err(|failure| at(path, &failure))
            }
            Some(Rule::Auth(action)) => {
                permitted(context, action).map_err(|failure| at(path, &failure))?;
                next.run(context, info).await
            }
            Some(Rule::Every(action)) => {
                if sees_every(context, action).await.map_err(|failure| at(path, &failure))? {
                    return next.run(context, info).await;
                }
                elide(context, path);
                Ok(None)
            }
            None => Err(at(path, &Failure::denied(name))),
        }
    }
}

/// An action on the tenant is refused before anything is done.
fn permitted(context: &ExtensionContext<'_>, action: Action) -> Result<(), Failure> {
    context.data_unchecked::<Shared>().check(context.data_unchecked::<Principal>(), action)
}

/// Notes that a field of an object is null because the caller may not see it.
fn elide(context: &ExtensionContext<'_>, path: &QueryPathNode<'_>) {
    locked(&context.data_unchecked::<Arc<Progress>>().elided).insert(path.to_string());
}

fn is_empty(found: Option<&Value>) -> bool {
    matches!(found, None | Some(Value::Null))
}

/// An action on labels leaves out what may not be seen, which only the resolver of the root field can do. That it did not
/// forget to ask is seen here, and if it did nothing is answered.
fn labels_were_asked(
    context: &ExtensionContext<'_>,
    path: &QueryPathNode<'_>,
    action: Action,
    found: Option<Value>,
) -> Result<Option<Value>, Failure> {
    let field = root_key(path);
    if is_empty(found.as_ref()) || context.data_unchecked::<Arc<Progress>>().was_asked(&field, action) {
        return Ok(found);
    }
    tracing::error!(%field, %action, "a field was answered without asking policy");
    Err(Failure::denied(action.as_str()))
}

/// The name in the answer of the field of the root that a place is in.
fn root_key(path: &QueryPathNode<'_>) -> String {
    let root = path.parents().last().map_or(path.segment, |root| root.segment);
    match root {
        QueryPathSegment::Name(name) => name.to_owned(),
        QueryPathSegment::Index(index) => index.to_string(),
    }
}

async fn sees_every(context: &ExtensionContext<'_>, action: Action) -> Result<bool, Failure> {
    let app = context.data_unchecked::<Shared>().clone();
    let principal = context.data_unchecked::<Principal>().clone();
    let asked = tokio::task::spawn_blocking(move || {
        let view = app.store.view()?;
        app.sees_every(&view, &principal, action)
    });
    asked.await.map_err(|_| Failure::internal("the request"))?
}

/// The failure of a field, with its place in the answer.
fn at(path: &QueryPathNode<'_>, failure: &Failure) -> ServerError {
    let mut error = failure.extend().into_server_error(async_graphql::Pos::default());
    error.locations.clear();
    let nodes: Vec<_> = std::iter::once(path).chain(path.parents()).collect();
    error.path = nodes.into_iter().rev().map(|node| segment(&node.segment)).collect();
    error
}

fn segment(segment: &QueryPathSegment<'_>) -> PathSegment {
    match segment {
        QueryPathSegment::Index(index) => PathSegment::Index(*index),
        QueryPathSegment::Name(name) => PathSegment::Field((*name).to_owned()),
    }
}
