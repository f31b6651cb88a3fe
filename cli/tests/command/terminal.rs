use std::{
    io::Read,
    process::{Command, Stdio},
};

use crate::server::{classify, command, photograph, server, text};

#[test]
fn shows_a_bar_on_a_terminal_and_nothing_on_a_pipe() {
    let url = server(&[]);
    let coffee = photograph("coffee.png");
    let piped = classify(&url, &["--csv", &coffee, &coffee]);
    assert!(piped.stderr.is_empty(), "{}", text(&piped.stderr));

    // util-linux's `script` runs it on a terminal of its own.
    let program = env!("CARGO_BIN_EXE_imageclassifier");
    let line = format!("'{program}' classify --server {url} --csv '{coffee}' '{coffee}'");
    let shown = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(" of 2, "), "{shown:?}");
    assert_eq!(shown.matches(",espresso,").count(), 2, "{shown:?}");
}

#[test]
fn a_closed_output_is_not_reported_as_an_error() {
    let url = server(&[]);
    let coffee = photograph("coffee.png");
    let mut arguments = vec!["classify", "--server", &url, "--csv"];
    arguments.extend([&*coffee; 20]);
    let mut child = command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 5];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(&first, b"file,");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}
