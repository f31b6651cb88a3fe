use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{photograph, run, server, text};

/// Port 1 is never served.
const UNREACHABLE: &str = "http://127.0.0.1:1";

#[test]
fn describes_the_model() {
    let url = server(&[]);
    let output = run(&["models", "--server", &url, "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let model: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(model["name"], "efficientnet-lite0");
    assert_eq!(model["classes"], 1000);
    assert_eq!(model["preprocessing"]["crop_fraction"], 0.875);
    assert_eq!(model["limits"]["image_bytes_max"], 10 << 20);

    let output = run(&["models", "--server", &url]);
    assert_eq!(output.status.code(), Some(0));
    let table = text(&output.stdout);
    assert!(
        table.starts_with("model              efficientnet-lite0\n"),
        "{table}"
    );
    assert!(table.contains(model["weights_digest"].as_str().unwrap()));

    assert_eq!(
        run(&["models", "--server", UNREACHABLE]).status.code(),
        Some(2)
    );
}

#[test]
fn leaves_out_servers_of_a_list_that_are_unreachable() {
    let url = server(&[]);
    let list = format!("{UNREACHABLE},{url}");
    let coffee = photograph("coffee.png");
    for arguments in [
        vec!["models", "--server", &list],
        vec!["health", "--server", UNREACHABLE, "--server", &url],
        vec!["classify", "--server", &list, &coffee],
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

#[test]
fn publishes_to_one_server_at_a_time() {
    let list = format!("{UNREACHABLE},http://127.0.0.1:2");
    let output = run(&["models", "publish", "models/pets", "--server", &list]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(
        error.contains("publish to each server by itself"),
        "{error}"
    );
}

/// That `health --wait` waits for a server that is starting is what every test's server is made with.
#[test]
fn reports_health_and_waits_for_it() {
    let url = server(&[]);
    let output = run(&["health", "--server", &url]);
    assert_eq!(
        (output.status.code(), &*output.stdout),
        (Some(0), &b"serving\n"[..])
    );

    let output = run(&["health", "--server", UNREACHABLE]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot reach http://127.0.0.1:1"));

    let began = Instant::now();
    let output = run(&[
        "health",
        "--wait",
        "--timeout",
        "0.7",
        "--server",
        UNREACHABLE,
    ]);
    assert_eq!(output.status.code(), Some(2));
    let waited = began.elapsed();
    assert!(
        (Duration::from_millis(700)..Duration::from_secs(10)).contains(&waited),
        "{waited:?}"
    );
}
