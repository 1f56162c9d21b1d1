//! The Explorer as the node serves it: a page for anyone, which shows nothing to who is not signed in.

use reqwest::Method;
use serde_json::json;

use crate::node::Node;
use crate::session::{ask, signed_in};

/// The page is for anyone, and so it says nothing of what is in the node, and takes nothing from elsewhere.
#[test]
fn the_page_is_for_anyone_and_self_contained() {
    let node = Node::start();
    let http = node.http();
    let get = |path: &str| http.send(Method::GET, path, &[], Vec::new());
    let page = get("/");
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8")),
        "{page:?}"
    );
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let inline = ["<style", "style=", "onclick", "onload", "javascript:", "http://", "https://"];
    assert!(inline.iter().all(|word| !page.body.contains(word)), "{}", page.body);
    let assets: Vec<_> = page.body.split('"').filter(|text| text.starts_with("/assets/")).collect();
    for (end, content_type) in [(".js", "text/javascript"), (".css", "text/css")] {
        let path = assets.iter().find(|path| path.ends_with(end)).expect("loaded by the page");
        let file = get(path);
        assert!(
            file.status == 200 && file.header("content-type").is_some_and(|is| is.starts_with(content_type)),
            "{file:?}"
        );
        let etag = file.header("etag").expect("a tag");
        let again = http.send(Method::GET, path, &[("if-none-match", etag)], Vec::new());
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{again:?}");
    }
    assert_eq!(get("/assets/nothing.js").status, 404);
}

/// An address of the app is the same page, whether what it names is there or not: its script asks, as whoever is signed in.
#[test]
fn every_address_of_the_app_is_the_same_page() {
    let node = Node::start();
    let http = node.http();
    let bodies = ["/", "/-/sign-in", "/t/default/search", "/t/nowhere/e/nothing"].map(|path| {
        let page = http.send(Method::GET, path, &[], Vec::new());
        let nonce = page.header("content-security-policy").and_then(|policy| policy.split("nonce-").nth(1));
        let nonce = nonce.and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
        page.body.replace(&nonce, "NONCE")
    });
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[test]
fn a_session_says_what_may_be_done() {
    let node = Node::start();
    let http = node.http();
    let actions = |role: &str| {
        let cookie = signed_in(&node, &json!({"token": node.new_token(&["--role", role])}));
        let who = ask(&http, &cookie).json();
        who["actions"]
            .as_array()
            .expect("actions")
            .iter()
            .map(|action| action.to_string())
            .collect::<Vec<_>>()
    };
    let has = |actions: &[String], action: &str| actions.contains(&format!("\"{action}\""));
    let (owner, reader, auditor) = (actions("owner"), actions("reader"), actions("auditor"));
    assert!(
        has(&owner, "policy.manage") && has(&owner, "entity.search") && has(&owner, "import.run"),
        "{owner:?}"
    );
    assert!(has(&reader, "entity.search") && !has(&reader, "token.manage"), "{reader:?}");
    assert!(has(&auditor, "ledger.export") && !has(&auditor, "entity.search"), "{auditor:?}");
}
