use std::{
    fs,
    io::{self, Read},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::server::{classify, photograph, server, text};

#[test]
fn exits_with_2_on_wrong_usage_or_without_a_server() {
    let image = photograph("coffee.png");
    // Port 1 is never served.
    let unreachable = "http://127.0.0.1:1";
    for (server, arguments) in [
        (unreachable, vec![&*image]),
        ("not a URL", vec![&*image]),
        (unreachable, vec![]),
        (unreachable, vec!["--top-k", "0", &*image]),
        (unreachable, vec!["--timeout", "0", &*image]),
        (unreachable, vec!["--json", "--csv", &*image]),
    ] {
        let output = classify(server, &arguments);
        assert_eq!(output.status.code(), Some(2), "{server} {arguments:?}");
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn rejects_unknown_models_before_the_first_image() {
    let url = server(&[]);
    let image = photograph("coffee.png");
    let known = classify(&url, &["--model", "efficientnet-lite0", &image]);
    assert_eq!(known.status.code(), Some(0));
    let unknown = classify(&url, &["--model", "resnet", &image]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(unknown.stdout.is_empty());
    assert!(text(&unknown.stderr).contains("there is no model \"resnet\""));
}

#[test]
fn times_out_on_a_silent_server() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let began = Instant::now();
    let output = classify(&url, &["--timeout", "0.5", &photograph("coffee.png")]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("the deadline passed"), "{told}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn retries_after_the_servers_hint() {
    let url = server(&["--rate-limit", "1"]);
    let image = photograph("coffee.png");
    // The description of the model is one request, the stream another.
    let patient = classify(&url, &["--csv", &image]);
    assert_eq!(patient.status.code(), Some(0), "{}", text(&patient.stderr));

    let impatient = classify(&url, &["--csv", "--retries", "0", &image]);
    assert_ne!(impatient.status.code(), Some(0));
    let told = text(&impatient.stderr);
    assert!(
        told.contains("too many requests from this client"),
        "{told}"
    );
}

/// More than the server sends before its first answer.
const BYTES_BEFORE_ANSWERS: u64 = 500;

/// A proxy to `server` that accepts `connections` connections and closes each after `bytes_max` bytes, once the server, which
/// may be slow, has answered something.
pub(crate) fn fragile(server: &str, bytes_max: u64, connections: usize) -> String {
    let server = server.replace("http://localhost", "127.0.0.1");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for _ in 0..connections {
            let (caller, _) = listener.accept().unwrap();
            let callee = TcpStream::connect(&server).unwrap();
            let (mut from, mut to) = (callee.try_clone().unwrap(), caller.try_clone().unwrap());
            let (answered, first_answer) = mpsc::channel();
            let back = thread::spawn(move || {
                let _ = io::copy(&mut (&mut from).take(BYTES_BEFORE_ANSWERS), &mut to);
                let _ = answered.send(());
                drop(io::copy(&mut from, &mut to));
            });
            let _ = io::copy(&mut (&caller).take(bytes_max), &mut &callee);
            let _ = first_answer.recv_timeout(Duration::from_secs(10));
            for end in [&caller, &callee] {
                let _ = end.shutdown(Shutdown::Both);
            }
            back.join().unwrap();
        }
    });
    url
}

#[test]
fn resends_images_lost_with_the_connection() {
    let url = server(&[]);
    let coffee = photograph("coffee.png");
    let bytes = fs::metadata(&coffee).unwrap().len();
    let fragile = fragile(&url, bytes * 5 / 2, 20);
    let output = classify(&fragile, &[&["--csv"], &[&*coffee; 6][..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).matches(",espresso,").count(), 6);
}

#[test]
fn reports_all_remaining_images_when_the_server_is_gone() {
    let url = server(&[]);
    let coffee = photograph("coffee.png");
    let bytes = fs::metadata(&coffee).unwrap().len();
    let fragile = fragile(&url, bytes * 40, 1);
    let arguments = ["--csv", "--retries", "0"];
    let output = classify(&fragile, &[&arguments[..], &[&*coffee; 80]].concat());
    assert_eq!(output.status.code(), Some(1));
    let rows = text(&output.stdout);
    assert_eq!(rows.lines().count(), 81);
    assert!(rows.contains(",espresso,"), "{rows}");
    let told = text(&output.stderr);
    assert_eq!(told.matches("cannot reach").count(), 1, "{told}");
    assert!(told.contains("of 80 images were not classified"), "{told}");
}
