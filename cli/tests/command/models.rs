//! Models of one's own, from photographs to the server and back.

use std::{fs, path::Path, thread, time::Duration};

use imageclassifier_model::{Activation, Head, HeadParts, ModelFolder, Variant, Weights};
use serde_json::Value;

use crate::server::{classify, file, photographs, run, server, server_for, text};

/// Trains on two photographs per class, and returns the folder of models.
fn train(dir: &Path, path: &str, classes: [&str; 2]) {
    let photos = dir.join("photos");
    let _ = fs::remove_dir_all(&photos);
    let files = [
        ["coffee.png", "chelsea.png"],
        ["rocket.jpg", "nagasaki-boats.jpg"],
    ];
    for (class, files) in classes.iter().zip(files) {
        fs::create_dir_all(photos.join(class)).unwrap();
        for file in files {
            fs::copy(photographs().join(file), photos.join(class).join(file)).unwrap();
        }
    }
    let model = dir.join("models").join(path);
    fs::create_dir_all(model.parent().unwrap()).unwrap();
    let (photos, model) = (photos.to_str().unwrap(), model.to_str().unwrap());
    let trained = run(&["train", photos, "-o", model, "--cache", ""]);
    assert_eq!(trained.status.code(), Some(0), "{}", text(&trained.stderr));
}

fn json(stdout: &[u8]) -> Value {
    serde_json::from_slice(stdout).unwrap()
}

#[test]
fn trained_models_are_served_listed_and_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path(), "mine/1", ["indoors", "outdoors"]);
    train(dir.path(), "mine/2", ["inside", "outside"]);
    let models = dir.path().join("models");
    let models = models.to_str().unwrap();
    let url = server(&["--models", models]);
    let coffee = photographs().join("coffee.png");
    let coffee = coffee.to_str().unwrap();
    let label = |model: &str| {
        let output = classify(&url, &["--json", "--model", model, coffee]);
        json(&output.stdout)["label"].clone()
    };
    assert_eq!(label("mine"), "inside");
    assert_eq!(label("mine@1"), "indoors");

    // The same from the folder, without a server.
    let local = dir.path().join("models/mine/2");
    let local = [
        "classify",
        "--local",
        "--json",
        "--model",
        local.to_str().unwrap(),
        coffee,
    ];
    let local = json(&run(&local).stdout);
    let served = json(&classify(&url, &["--json", "--model", "mine", coffee]).stdout);
    for same in ["label", "unknown", "model_revision"] {
        assert_eq!(local[same], served[same], "{same}");
    }
    let score = |answer: &Value| answer["known_score"].as_f64().unwrap();
    assert!((score(&local) - score(&served)).abs() < 1e-6);
    let built_in = json(&classify(&url, &["--json", coffee]).stdout);
    assert!(built_in.get("unknown").is_none() && built_in.get("known_score").is_none());

    let listed = json(&run(&["models", "--server", &url, "--json"]).stdout);
    let found: Vec<_> = listed["models"].as_array().unwrap().iter().collect();
    let names: Vec<_> = found
        .iter()
        .map(|it| (it["name"].as_str(), it["version"].as_u64()))
        .collect();
    let lite0 = (Some("efficientnet-lite0"), Some(0));
    assert_eq!(
        names,
        [lite0, (Some("mine"), Some(2)), (Some("mine"), Some(1))]
    );
    assert_eq!(found[1]["state"], "serving");
    assert_eq!(found[1]["training"]["images"], 4);
    let output = run(&["models", "--server", &url]);
    let table = text(&output.stdout);
    assert!(
        table.contains("\n* efficientnet-lite0     1000  serving"),
        "{table}"
    );
    assert!(
        table.contains("\n  mine@2                    2  serving"),
        "{table}"
    );

    let rolled_back = run(&["models", "rollback", "mine", "--models", models]);
    assert_eq!(
        rolled_back.status.code(),
        Some(0),
        "{}",
        text(&rolled_back.stderr)
    );
    let said = text(&rolled_back.stdout);
    assert!(said.starts_with("mine: version 1 instead of 2"), "{said}");
    for _ in 0..100 {
        if label("mine") == "indoors" {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(label("mine"), "indoors");
    let last = run(&["models", "rollback", "mine", "--models", models]);
    assert_eq!(last.status.code(), Some(2));
    assert!(text(&last.stderr).contains("no previous version"));
}

#[test]
fn models_are_published_and_feedback_is_kept_for_training() {
    /// `printf %s secret | sha256sum`
    const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let dir = tempfile::tempdir().unwrap();
    train(dir.path(), "trained/mine", ["indoors", "outdoors"]);
    let trained = dir.path().join("models/trained/mine");
    let trained = trained.to_str().unwrap();
    let served = dir.path().join("served");
    fs::create_dir(&served).unwrap();
    let kept = dir.path().join("kept");
    let accepted = file("publishers", format!("tests {SECRET} publish\n"));
    let token = file("publishers-token", "secret");
    let token = ["--token-file", &token];
    let options = [
        "--models",
        served.to_str().unwrap(),
        "--feedback-dir",
        kept.to_str().unwrap(),
        "--token-file",
        &accepted,
    ];
    let url = server_for(&options, &token);
    let call = |words: &[&str]| run(&[words, &["--server", &url], &token].concat());

    for version in 1..=2 {
        let published = call(&["models", "publish", trained]);
        let said = text(&published.stdout);
        let version = format!("mine@{version}: ");
        assert!(
            said.starts_with(&version),
            "{said}{}",
            text(&published.stderr)
        );
    }
    let published = call(&[
        "models",
        "publish",
        trained,
        "--name",
        "other",
        "--version",
        "7",
    ]);
    assert!(text(&published.stdout).starts_with("other@7: "));
    let again = call(&["models", "publish", trained, "--version", "2"]);
    assert_eq!(again.status.code(), Some(2));
    let said = text(&again.stderr);
    assert!(said.contains("not above the highest"), "{said}");
    let incomplete = call(&["models", "publish", kept.to_str().unwrap()]);
    assert!(text(&incomplete.stderr).contains("config.json"));

    let coffee = photographs().join("coffee.png");
    let coffee = coffee.to_str().unwrap();
    let sent = call(&["feedback", "--label", "mug", coffee, "missing.jpg"]);
    assert_eq!(sent.status.code(), Some(1), "{}", text(&sent.stderr));
    assert_eq!(text(&sent.stdout), "1 of 2 images kept as mug\n");
    assert_eq!(fs::read_dir(kept.join("mug")).unwrap().count(), 1);
}

#[test]
fn servers_without_the_options_say_what_they_need() {
    let dir = tempfile::tempdir().unwrap();
    train(dir.path(), "mine", ["indoors", "outdoors"]);
    let model = dir.path().join("models/mine");
    let url = server(&[]);
    let coffee = photographs().join("coffee.png");
    for (words, option) in [
        (
            ["models", "publish", model.to_str().unwrap()].to_vec(),
            "--models",
        ),
        (
            ["feedback", "--label", "mug", coffee.to_str().unwrap()].to_vec(),
            "--feedback-dir",
        ),
    ] {
        let rejected = run(&[&words, &["--server", &*url][..]].concat());
        assert_eq!(rejected.status.code(), Some(2));
        let said = text(&rejected.stderr);
        assert!(said.contains(option), "{said}");
    }
}

/// A model to which every image is unknown: none has exactly these features.
fn knowing_nothing() -> ModelFolder {
    let channels = Variant::Lite0.channels();
    #[allow(clippy::cast_precision_loss, reason = "there are few channels")]
    let equal = (channels as f32).sqrt().recip();
    let parts = HeadParts {
        labels: ["indoors", "outdoors"].map(str::to_owned).to_vec(),
        activation: Activation::Softmax,
        weight: vec![equal; 2 * channels],
        bias: vec![1.0, 0.0],
        class_means: vec![equal; 2 * channels],
        temperature: 1.0,
        known_threshold: Some(1.0),
    };
    let head = Head::new(parts, channels).unwrap();
    ModelFolder::new("any", head, &Weights::lite0(), Value::Null).unwrap()
}

#[test]
fn unknown_images_are_called_so_in_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let model = dir.path().join("mine");
    knowing_nothing().write(&model).unwrap();
    let model = model.to_str().unwrap();
    let strange = photographs().join("camera.png");
    let strange = strange.to_str().unwrap();
    let print = |format: &[&str]| {
        let command = [
            &["classify", "--local", "--model", model],
            format,
            &[strange],
        ]
        .concat();
        let output = run(&command);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let answer: Value = serde_json::from_str(&print(&["--json"])).unwrap();
    assert_eq!(answer["unknown"], true);
    let score = answer["known_score"].as_f64().unwrap();
    let table = print(&[]);
    let first = table.lines().nth(1).unwrap();
    assert!(
        first.ends_with(&format!("  (unknown: similarity {score:.2})")),
        "{table}"
    );
    assert_eq!(table.matches("unknown").count(), 1, "{table}");
    let csv = print(&["--csv"]);
    let [header, row] = csv.lines().collect::<Vec<_>>().try_into().unwrap();
    assert!(header.ends_with(",unknown,known_score"), "{header}");
    assert!(row.contains(",true,0."), "{row}");
}
