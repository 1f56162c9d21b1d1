//! Signing in with a browser: links that are good once, sessions that end with their token, and those who try to get
//! by.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::http::{Answer, Http};
use crate::node::{Node, program, run};

const SESSION: &str = "/api/v1/session";
const JSON: (&str, &str) = ("content-type", "application/json");
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// The code of a link that is made on the node's machine.
pub(crate) fn owner_code(node: &Node) -> String {
    let data_dir = node.data_dir();
    let link =
        node.cli_as("", &["token", "first-owner", "--data-dir", data_dir.to_str().expect("UTF-8")]).ok();
    code(&link)
}

fn code(link: &Value) -> String {
    let url = link["url"].as_str().expect("an address");
    url.split_once("/#code=").unwrap_or_else(|| panic!("no code in {link}")).1.to_owned()
}

fn sign_in(http: &Http, shows: &Value) -> Answer {
    http.send(Method::POST, SESSION, &[JSON], shows.to_string().into_bytes())
}

/// The cookie that a sign-in sets, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned()
}

pub(crate) fn signed_in(node: &Node, shows: &Value) -> String {
    cookie(&sign_in(&node.http(), shows))
}

pub(crate) fn ask(http: &Http, cookie: &str) -> Answer {
    http.send(Method::GET, SESSION, &[("cookie", cookie)], Vec::new())
}

/// Runs an operation as the node's own page does.
fn run_as(http: &Http, cookie: &str, more: &[(&str, &str)]) -> Answer {
    let headers = [&[("cookie", cookie), JSON], more].concat();
    http.send(Method::POST, "/graphql", &headers, json!({"id": "node:v1"}).to_string().into_bytes())
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{answer:?}");
    assert_eq!(answer.header("set-cookie"), None, "{answer:?}");
}

#[test]
fn a_link_of_the_machine_signs_an_owner_in_once() {
    let mut node = Node::start();
    let http = node.http();
    let code = owner_code(&node);
    let answer = sign_in(&http, &json!({"code": code}));
    let cookie = cookie(&answer);
    let set = answer.header("set-cookie").expect("a cookie");
    assert!(
        set.contains("; Path=/; ") && set.contains("; HttpOnly") && set.contains("; SameSite=Strict"),
        "{set}"
    );
    assert!(!set.contains("Secure"), "there is no TLS here, and a browser would drop it: {set}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    let who = answer.json();
    assert_eq!(
        (&who["role"], &who["tenant"], &who["by"]),
        (&json!("owner"), &json!("default"), &json!("session"))
    );
    assert!(
        !answer.body.contains(cookie.split_once('=').expect("a pair").1),
        "the secret is in the cookie alone"
    );
    refused(&sign_in(&http, &json!({"code": code})), 401, "bad_code");

    let nobody = http.send(Method::GET, SESSION, &[], Vec::new());
    assert_eq!((nobody.status, nobody.body.as_str()), (204, ""), "nobody is signed in: {nobody:?}");
    assert_eq!(ask(&http, &cookie).json(), who);
    assert_eq!(run_as(&http, &cookie, &[SAME_ORIGIN]).json()["data"]["node"]["role"], "owner");
    let ended = http.send(
        Method::DELETE,
        SESSION,
        &[("cookie", &cookie), SAME_ORIGIN, ("x-ig-csrf", "1")],
        Vec::new(),
    );
    assert_eq!(ended.status, 204, "{ended:?}");
    assert!(
        ended.header("set-cookie").is_some_and(|set| set.contains("=; ") && set.contains("Max-Age=0")),
        "{ended:?}"
    );
    refused(&ask(&http, &cookie), 401, "unauthorized");
    node.stop_and_verify();
}

#[test]
fn a_new_node_shows_a_link_beside_its_address() {
    let node = Node::start();
    let link = json!({"url": node.ready["sign_in_url"]});
    let cookie = signed_in(&node, &json!({"code": code(&link)}));
    let who = ask(&node.http(), &cookie).json();
    assert!(node.token.contains(who["token"].as_str().expect("an id")), "it is the owner's token: {who}");
}

#[test]
fn a_session_is_of_its_token_and_ends_with_it() {
    let node = Node::start();
    let http = node.http();
    let made = node.cli(&["token", "create", "--role", "reader", "--purpose", "threat-intel"]).ok();
    let (id, token) = (made["id"].as_str().expect("an id"), made["token"].as_str().expect("a token"));
    let pasted = signed_in(&node, &json!({"token": token}));
    let link = node.cli_as(token, &["token", "link"]).ok();
    let linked = signed_in(&node, &json!({"code": code(&link)}));
    let unused = code(&node.cli_as(token, &["token", "link"]).ok());
    for cookie in [&pasted, &linked] {
        let who = ask(&http, cookie).json();
        assert_eq!(
            (&who["role"], &who["clearance"], &who["purposes"], &who["token"]),
            (&json!("reader"), &json!("public"), &json!(["threat-intel"]), &made["id"])
        );
    }
    let listed = node.cli(&["token", "list"]).ok();
    let of = |id: &str| {
        let all = listed["tokens"].as_array().expect("tokens");
        all.iter().find(|one| one["id"] == id).unwrap_or_else(|| panic!("no {id} in {listed}")).clone()
    };
    let (listed_one, owner) = (of(id), of(node.token.split('_').nth(2).expect("an id")));
    assert_eq!((&listed_one["sessions"], &listed_one["made_by"]), (&json!(2), &owner["id"]), "{listed_one}");
    assert!(listed_one["used_at"].is_string() && listed_one["revoked_at"].is_null(), "{listed_one}");
    assert_eq!(owner["made_by"], "node", "{owner}");

    node.cli(&["token", "revoke", id]).ok();
    for cookie in [&pasted, &linked] {
        refused(&ask(&http, cookie), 401, "unauthorized");
    }
    refused(&sign_in(&http, &json!({"code": unused})), 401, "bad_code");
    refused(&sign_in(&http, &json!({"token": token})), 401, "unauthorized");
    let links = node.cli_as(token, &["token", "link"]);
    links.failed(3, "unauthorized");
}

#[test]
fn a_crash_signs_nobody_out_and_makes_no_code_good_again() {
    let mut node = Node::start();
    let code = owner_code(&node);
    let cookie = signed_in(&node, &json!({"code": code}));
    node.kill();
    assert!(node.data_dir().join("admin.sock").exists(), "what the crash left");
    node.restart();
    assert_eq!(ask(&node.http(), &cookie).json()["role"], "owner");
    refused(&sign_in(&node.http(), &json!({"code": code})), 401, "bad_code");
    let again = signed_in(&node, &json!({"code": owner_code(&node)}));
    assert_eq!(ask(&node.http(), &again).status, 200);
    node.stop_and_verify();
}

#[test]
fn of_many_who_show_a_code_at_once_one_comes_in() {
    let node = Node::start();
    for _ in 0..5 {
        let shows = json!({"code": owner_code(&node)});
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let each = || sign_in(&node.http(), &shows);
            let all: Vec<_> = (0..2).map(|_| scope.spawn(each)).collect();
            all.into_iter().map(|one| one.join().expect("an answer")).collect()
        });
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{answers:?}");
    }
}

/// However the node dies while a code is being used, the code opened one session at most.
#[test]
fn a_code_that_was_being_used_in_a_crash_is_used_once_at_most() {
    let mut node = Node::start();
    for wait_ms in [0, 1, 2, 3, 5, 8] {
        let code = owner_code(&node);
        let (address, body) = (node.url.clone(), json!({"code": code}).to_string());
        let sending = std::thread::spawn(move || {
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let request =
                    client.post(format!("{address}{SESSION}")).header("content-type", "application/json");
                request.body(body).send().await.is_ok_and(|answer| answer.status() == 200)
            })
        });
        std::thread::sleep(Duration::from_millis(wait_ms));
        node.kill();
        let came_in = sending.join().expect("no panic");
        node.restart();
        let mut successes = u32::from(came_in);
        for _ in 0..2 {
            successes += u32::from(sign_in(&node.http(), &json!({"code": code})).status == 200);
        }
        assert!(successes <= 1, "{successes} came in with one code");
    }
    node.stop_and_verify();
}

#[test]
fn a_page_of_another_origin_can_do_nothing_with_the_cookie() {
    let node = Node::start();
    let http = node.http();
    let cookie = signed_in(&node, &json!({"token": node.token}));
    let host = node.url.strip_prefix("http://").expect("an address");
    let own = format!("http://{host}");
    for good in [&[SAME_ORIGIN][..], &[("origin", &own)], &[SAME_ORIGIN, ("origin", &own)]] {
        assert_eq!(run_as(&http, &cookie, good).status, 200, "{good:?}");
    }
    for bad in [
        &[][..],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1:1")],
        &[("sec-fetch-site", "cross-site"), ("origin", &own)],
    ] {
        refused(&run_as(&http, &cookie, bad), 403, "foreign_origin");
    }
    // What a form can send.
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    {
        let headers = [("cookie", cookie.as_str()), ("content-type", content_type), SAME_ORIGIN];
        let body = json!({"id": "node:v1"}).to_string().into_bytes();
        refused(&http.send(Method::POST, "/graphql", &headers, body), 403, "foreign_origin");
    }
    // A page may not even look.
    for site in ["cross-site", "same-site"] {
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", site)];
        refused(&http.send(Method::GET, SESSION, &headers, Vec::new()), 403, "foreign_origin");
    }
    refused(
        &http.send(Method::DELETE, SESSION, &[("cookie", &cookie), SAME_ORIGIN], Vec::new()),
        403,
        "foreign_origin",
    );
    assert_eq!(ask(&http, &cookie).status, 200, "nothing of that ended the session");
}

#[test]
fn nobody_signs_a_strangers_browser_in_from_another_page() {
    let node = Node::start();
    let http = node.http();
    let shows = json!({"token": node.token}).to_string().into_bytes();
    for (headers, status, code) in [
        (&[("content-type", "text/plain")][..], 415, "unsupported_media_type"),
        (&[], 415, "unsupported_media_type"),
        (&[JSON, ("sec-fetch-site", "cross-site")], 403, "foreign_origin"),
        (&[JSON, ("sec-fetch-site", "same-site")], 403, "foreign_origin"),
        (&[JSON, ("origin", "http://evil.example")], 403, "foreign_origin"),
        (&[JSON, ("origin", "null")], 403, "foreign_origin"),
    ] {
        refused(&http.send(Method::POST, SESSION, headers, shows.clone()), status, code);
    }
    for body in ["", "{}", "[]", r#"{"code":1}"#, r#"{"token":"a","code":"b"}"#, r#"{"user":"a"}"#] {
        refused(&http.send(Method::POST, SESSION, &[JSON], body.into()), 400, "bad_request");
    }
    refused(&http.send(Method::POST, SESSION, &[JSON], vec![b' '; 5000]), 400, "bad_request");
}

#[test]
fn a_session_is_never_the_one_that_somebody_else_prepared() {
    let node = Node::start();
    let http = node.http();
    let reader = node.new_token(&["--role", "reader"]);
    let planted = signed_in(&node, &json!({"token": reader}));
    let headers = [JSON, ("cookie", planted.as_str())];
    let answer =
        http.send(Method::POST, SESSION, &headers, json!({"token": node.token}).to_string().into_bytes());
    let own = cookie(&answer);
    assert_ne!(own, planted);
    assert_eq!(ask(&http, &own).json()["role"], "owner");
    refused(&ask(&http, &planted), 401, "unauthorized");
    // Two of the name: one of them was set for a narrower path, to be taken for the other.
    refused(&ask(&http, &format!("{own}; {planted}")), 401, "unauthorized");
    let twice = [("cookie", own.as_str()), ("cookie", own.as_str())];
    refused(&http.send(Method::GET, SESSION, &twice, Vec::new()), 401, "unauthorized");
    assert_eq!(ask(&http, &format!("theme=dark; {own}; lang=en")).status, 200);
}

#[test]
fn an_authorization_beside_a_cookie_is_what_counts() {
    let node = Node::start();
    let http = node.http();
    let cookie = signed_in(&node, &json!({"token": node.token}));
    let reader = format!("Bearer {}", node.new_token(&["--role", "reader"]));
    let both = |token: &str, cookie: &str| {
        http.send(Method::GET, SESSION, &[("authorization", token), ("cookie", cookie)], Vec::new())
    };
    assert_eq!(both(&reader, &cookie).json()["role"], "reader");
    assert_eq!(both(&reader, "ig_session=nonsense").json()["by"], "token");
    refused(&both("Bearer nonsense", &cookie), 401, "unauthorized");
    refused(&both("", &cookie), 401, "unauthorized");
    let token = [("authorization", reader.as_str()), ("x-ig-csrf", "1")];
    refused(&http.send(Method::DELETE, SESSION, &token, Vec::new()), 400, "bad_request");
}

#[test]
fn headers_that_can_be_read_in_two_ways_are_refused() {
    let node = Node::start();
    let http = node.http();
    let (owner, reader) =
        (format!("Bearer {}", node.token), format!("Bearer {}", node.new_token(&["--role", "reader"])));
    let send = |headers: &[(&str, &str)]| http.send(Method::GET, SESSION, headers, Vec::new());
    for twice in [
        [("authorization", owner.as_str()), ("authorization", reader.as_str())],
        [("authorization", reader.as_str()), ("authorization", owner.as_str())],
    ] {
        refused(&send(&twice), 400, "bad_request");
    }
    let tenant = ("x-ig-tenant", "default");
    refused(&send(&[("authorization", &owner), tenant, ("x-ig-tenant", "other")]), 400, "bad_request");
    let purpose = ("x-ig-purpose", "demo");
    refused(&send(&[("authorization", &owner), purpose, ("x-ig-purpose", "training")]), 400, "bad_request");
    for value in [format!("{owner}, {reader}"), format!("{owner} {reader}"), format!("{owner}\u{e9}")] {
        let answer = send(&[("authorization", &value)]);
        assert!(matches!(answer.status, 400 | 401), "{answer:?}");
        assert!(!answer.body.contains(node.token.as_str()), "an error never repeats a token: {answer:?}");
    }
}

#[test]
fn a_session_gets_no_further_than_its_token() {
    let node = Node::start();
    node.new_token(&["--tenant", "other", "--role", "reader"]);
    let http = node.http();
    let admin = signed_in(&node, &json!({"token": node.new_token(&["--role", "admin"])}));
    let elsewhere = |tenant: &str| {
        let headers = [("cookie", admin.as_str()), ("x-ig-tenant", tenant)];
        http.send(Method::GET, SESSION, &headers, Vec::new())
    };
    refused(&elsewhere("other"), 404, "not_found");
    assert_eq!(
        elsewhere("other").told().replace("other", "T"),
        elsewhere("nowhere").told().replace("nowhere", "T")
    );
    let owner = signed_in(&node, &json!({"token": node.token}));
    let headers = [("cookie", owner.as_str()), ("x-ig-tenant", "other")];
    assert_eq!(http.send(Method::GET, SESSION, &headers, Vec::new()).json()["tenant"], "other");
}

/// Nothing that is answered tells a token that was never made from one whose secret is wrong.
#[test]
fn an_unknown_id_and_a_wrong_secret_look_alike() {
    let node = Node::start();
    let http = node.http();
    let forge = |id: &str| {
        let body = format!("{id}_{}", "0".repeat(40));
        let text = |kind: &str| {
            let body = format!("ig_{kind}_{body}");
            format!("{body}_{:08x}", crc32fast::hash(body.as_bytes()))
        };
        (text("tok"), text("lnk"), text("ses"))
    };
    let known = node.token.split('_').nth(2).expect("an id");
    let ask_all = |id: &str| {
        let (token, code, session) = forge(id);
        let bearer = format!("Bearer {token}");
        let name = cookie_name(&node);
        [
            http.send(Method::GET, SESSION, &[("authorization", &bearer)], Vec::new()),
            http.send(Method::GET, SESSION, &[("cookie", &format!("{name}={session}"))], Vec::new()),
            sign_in(&http, &json!({"token": token})),
            sign_in(&http, &json!({"code": code})),
        ]
        .map(|answer| (answer.status, answer.told()))
    };
    let unknown = ask_all("ffffffffff");
    assert_eq!(ask_all(known), unknown);
    assert!(unknown.iter().all(|(status, _)| *status == 401), "{unknown:?}");
}

fn cookie_name(node: &Node) -> String {
    signed_in(node, &json!({"token": node.token})).split_once('=').expect("a pair").0.to_owned()
}

#[test]
fn no_secret_is_logged_or_repeated() {
    let mut node = Node::start_with(&[("log", "trace")]);
    let http = node.http();
    let code = owner_code(&node);
    let cookie = signed_in(&node, &json!({"code": code}));
    let secret = cookie.split_once('=').expect("a pair").1;
    run_as(&http, &cookie, &[SAME_ORIGIN]);
    let mut answers = vec![
        sign_in(&http, &json!({"code": code})),
        run_as(&http, &cookie, &[]),
        ask(&http, &format!("{cookie}; {cookie}")),
        sign_in(&http, &json!({"token": format!("{}0", node.token)})),
    ];
    for body in [format!("{{\"code\":\"{code}\",}}"), format!("{{\"{code}\":1}}"), format!("\"{secret}\"")] {
        answers.push(http.send(Method::POST, SESSION, &[JSON], body.into_bytes()));
    }
    for answer in &answers {
        assert!(answer.status >= 400, "{answer:?}");
        for secret in [code.as_str(), secret, &node.token] {
            assert!(!answer.body.contains(secret), "{answer:?}");
        }
    }
    node.stop();
    let log = node.log();
    assert!(log.len() > 1000, "the log was written");
    for secret in [code.as_str(), secret, &node.token] {
        let half = &secret[secret.len() / 2..];
        assert!(!log.contains(half), "a secret is in the log: {}", line_with(&log, half));
    }
}

fn line_with<'l>(log: &'l str, what: &str) -> &'l str {
    log.lines().find(|line| line.contains(what)).unwrap_or_default()
}

#[test]
fn the_admin_socket_is_for_its_owner_and_gone_with_the_node() {
    let mut node = Node::start();
    let socket = node.data_dir().join("admin.sock");
    let mode = fs::metadata(&socket).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    node.stop();
    assert!(!socket.exists());
    let first_owner = |data_dir: &std::path::Path| {
        let mut command = program();
        command.args(["token", "first-owner", "--json", "--data-dir"]).arg(data_dir);
        run(command)
    };
    first_owner(&node.data_dir()).failed(3, "unreachable");
    first_owner(&node.file("nowhere")).failed(3, "unreachable");
    node.restart();
    node.kill();
    assert!(fs::metadata(&socket).expect("left over").file_type().is_socket());
    first_owner(&node.data_dir()).failed(3, "unreachable");
    node.restart();
    first_owner(&node.data_dir()).ok();
    let elsewhere = {
        let mut command = program();
        command
            .args(["token", "first-owner", "--json", "--tenant", "nowhere", "--data-dir"])
            .arg(node.data_dir());
        run(command)
    };
    assert!(elsewhere.failed(3, "failed").contains("nowhere"));
}

/// A socket's path may have 107 bytes, a directory's many more.
#[test]
fn a_long_path_is_no_obstacle_to_the_admin_socket() {
    let place = tempfile::tempdir().expect("a directory");
    let deep = place.path().join("d".repeat(100)).join("e".repeat(100));
    let mut node = Node::start_in(deep.clone());
    assert!(deep.join("admin.sock").exists());
    let cookie = signed_in(&node, &json!({"code": owner_code(&node)}));
    assert_eq!(ask(&node.http(), &cookie).json()["role"], "owner");
    node.stop();
    assert!(!deep.join("admin.sock").exists());
}
