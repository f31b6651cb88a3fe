use serde_json::Value;

use crate::server::{classify, file, photographs, run, server, text};

fn lines(stdout: &[u8]) -> Vec<Value> {
    text(stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn without_a_server_the_answers_are_the_same() {
    let url = server(&[]);
    let photos = photographs().display().to_string();
    let words = file("yet more words.jpg", "a thousand");
    let damaged = file("damaged.png", b"\x89PNG\r\n\x1a\n damaged");
    let empty = file("nothing.png", "");
    let arguments = ["--json", &*photos, &words, &damaged, &empty, "missing.jpg"];

    let asked = classify(&url, &arguments);
    let local = run(&[
        &["classify", "--local", "--server", "not a URL"],
        &arguments[..],
    ]
    .concat());
    assert_eq!(local.status.code(), Some(1), "{}", text(&local.stderr));
    assert_eq!(asked.status.code(), Some(1));
    let (asked, local) = (lines(&asked.stdout), lines(&local.stdout));
    assert_eq!((asked.len(), local.len()), (14, 14));
    for (asked, local) in asked.iter().zip(&local) {
        let confidence = |line: &Value| line["confidence"].as_f64().unwrap_or_default();
        assert!((confidence(asked) - confidence(local)).abs() < 1e-6);
        for same in [
            "file",
            "label",
            "model",
            "model_revision",
            "crop",
            "error",
            "reason",
        ] {
            assert_eq!(asked.get(same), local.get(same), "{asked}");
        }
    }
    assert_eq!(local[4]["label"], "espresso");
    assert_eq!(local[11]["reason"], "IMAGE_UNDECODABLE");
}

#[test]
fn a_model_that_is_not_in_the_program_is_refused() {
    let output = run(&["classify", "--local", "--model", "resnet", "x.jpg"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("ask for \"efficientnet-lite0\""));
}
