use serde_json::Value;

use crate::server::{classify, command, file, photograph, photographs, run, server, text};

fn lines(stdout: &[u8]) -> Vec<Value> {
    text(stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn local_results_equal_the_servers() {
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
fn rejects_unknown_models() {
    let output = run(&["classify", "--local", "--model", "resnet", "x.jpg"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("use \"efficientnet-lite0\""));
}

fn own_weights() -> String {
    let manifest = env!("CARGO_MANIFEST_DIR");
    format!("{manifest}/../model/weights/efficientnet_lite0.safetensors")
}

#[test]
fn reads_weights_from_the_file_of_the_flag_or_the_variable() {
    let coffee = photograph("coffee.png");
    let arguments = ["classify", "--local", "--json", &coffee];
    let [embedded, flag, variable, both] = [
        (vec![], ""),
        (vec!["--weights", &own_weights()], ""),
        (vec![], &*own_weights()),
        (vec!["--weights", &own_weights()], "no such file"),
    ]
    .map(|(options, variable)| {
        let mut command = command(&[&arguments[..], &options[..]].concat());
        let output = command.env("IMAGECLASSIFIER_WEIGHTS", variable).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let [line]: [_; 1] = lines(&output.stdout).try_into().unwrap();
        assert_eq!(line["label"], "espresso");
        line["model_revision"].clone()
    });
    assert_eq!([&flag, &variable, &both], [&embedded; 3]);
}

#[test]
fn other_variants_equal_the_servers_results() {
    let Some(folder) = std::env::var_os("IMAGECLASSIFIER_WEIGHTS_DIR") else {
        println!(
            "IMAGECLASSIFIER_WEIGHTS_DIR names no folder with lite1's weights: nothing compared"
        );
        return;
    };
    let folder = folder.into_string().unwrap();
    let weights = format!("{folder}/efficientnet_lite1.safetensors");
    let url = server(&["--weights", &weights]);
    let photos = photographs().display().to_string();
    let asked = classify(&url, &["--json", &photos]);
    let local = run(&[
        "classify",
        "--local",
        "--weights",
        &weights,
        "--json",
        &photos,
    ]);
    let (asked, local) = (lines(&asked.stdout), lines(&local.stdout));
    assert_eq!((asked.len(), local.len()), (10, 10));
    for (asked, local) in asked.iter().zip(&local) {
        assert_eq!(local["model"], "efficientnet-lite1");
        for same in ["label", "model", "model_revision", "crop"] {
            assert_eq!(asked[same], local[same], "{asked}");
        }
    }
}

#[test]
fn rejects_unusable_weights() {
    let missing = "no such file.safetensors";
    let words = file("words.safetensors", "a thousand words");
    let local = ["classify", "--local", "x.jpg", "--weights"];
    for (weights, why) in [
        (missing, "cannot use the weights in no such file"),
        (&*words, "not a complete safetensors file"),
    ] {
        let output = run(&[&local[..], &[weights]].concat());
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains(why), "{said}");
    }
    let output = run(&["classify", "--weights", &words, "x.jpg"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("--local"), "{said}");
}
