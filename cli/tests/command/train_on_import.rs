//! `train --base` with an imported network.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    checkpoints,
    import::{import_fixture, label_locally_and_served},
    own_classes::{add_class, cups_and_cats, json as read_json, path, succeeded, train},
    server::{photograph, run, text},
};

/// Photographs, and a folder of models with an imported network.
struct Folder {
    folder: TempDir,
    photographs: PathBuf,
    base: PathBuf,
}

impl Folder {
    /// With a network of `onnx/tests/fixtures`.
    fn with(network: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("models/base");
        import_fixture(network, &base, &["--filter", "bicubic"]);
        Self {
            photographs: cups_and_cats(folder.path(), 6),
            base,
            folder,
        }
    }

    fn models(&self) -> PathBuf {
        self.folder.path().join("models")
    }

    /// Trains on `base`, and returns the model's folder.
    fn train(&self, name: &str, base: &Path) -> PathBuf {
        let model = self.models().join(name);
        let base = ["--base", path(base), "--cache", ""];
        succeeded(&run(&[
            &["train", path(&self.photographs), "-o", path(&model)],
            &base[..],
        ]
        .concat()));
        model
    }
}

fn files(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The features of an image, as `embed` with these options prints them.
fn features(image: &str, options: &[&str]) -> Vec<f64> {
    let output = run(&[&["embed"], options, &[image]].concat());
    succeeded(&output);
    let row: Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_value(row["embedding"].clone()).unwrap()
}

#[test]
fn trains_on_the_features_of_an_imported_network() {
    let folder = Folder::with("inverted_residual");
    let model = folder.train("pets", &folder.base);
    assert_eq!(
        files(&model),
        [
            "LICENSE",
            "config.json",
            "model.onnx",
            "model.safetensors",
            "report.html",
            "report.json"
        ]
    );
    let (base, config) = (
        read_json(&folder.base.join("config.json")),
        read_json(&model.join("config.json")),
    );
    assert_eq!(config["labels"], json!(["cat", "cup"]));
    assert_eq!(config["training"]["images"], 12);
    for same in ["preprocessing", "source"] {
        assert_eq!(config[same], base[same]);
    }
    assert_eq!(
        read_json(&model.join("report.json"))["base"]["name"],
        "base"
    );
    let licence = fs::read_to_string(model.join("LICENSE")).unwrap();
    assert!(licence.contains("The network is in this folder: model.onnx"));

    // The folder needs no other.
    fs::remove_dir_all(&folder.base).unwrap();
    assert_eq!(label_locally_and_served(&folder.models(), "pets"), "cup");
    let inspected = run(&["inspect", path(&model)]);
    succeeded(&inspected);
    assert!(text(&inspected.stdout).contains("classes            2\n"));
    let maps = folder.folder.path().join("maps");
    let cat = photograph("chelsea.png");
    let explain = ["--explain", path(&maps), &cat];
    let classify = ["classify", "--local", "--json", "--model", path(&model)];
    let output = run(&[&classify[..], &explain].concat());
    succeeded(&output);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&answer["label"], &answer["unknown"]),
        (&json!("cat"), &json!(false))
    );
    assert_eq!(files(&maps).len(), 2);
}

#[test]
fn evaluates_and_embeds_with_the_network_in_the_folder() {
    let folder = Folder::with("inverted_residual");
    let model = folder.train("pets", &folder.base);
    let evaluate = |model: &Path, options: &[&str]| {
        let arguments = [
            "evaluate",
            path(model),
            path(&folder.photographs),
            "--json",
            "--cache",
            "",
        ];
        run(&[&arguments, options].concat())
    };
    let output = evaluate(&model, &[]);
    succeeded(&output);
    let evaluated: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(evaluated["labels"], json!(["cat", "cup"]));
    assert_eq!(evaluated["evaluation"]["images"], 12);

    let cup = photograph("coffee.png");
    let of = |base: &Path| features(&cup, &["--cache", "", "--base", path(base)]);
    assert_eq!(of(&model).len(), 40);
    assert_eq!(of(&model), of(&folder.base));

    for (output, expected) in [
        (
            evaluate(&model, &["--base", "weights.safetensors"]),
            "has its own network: leave out --base",
        ),
        (
            evaluate(&folder.base, &[]),
            "has only the classes of its network, which nothing was trained on",
        ),
    ] {
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_trained_model_as_the_base_lends_only_its_network() {
    let folder = Folder::with("inverted_residual");
    let first = folder.train("pets", &folder.base);
    let second = folder.train("again/2", &first);
    for file in ["config.json", "model.onnx", "model.safetensors"] {
        let read = |model: &Path| fs::read(model.join(file)).unwrap();
        assert!(read(&first) == read(&second), "{file} differs");
    }
    // The built-in network instead, in the same folder.
    succeeded(&train(&folder.photographs, &first, &[]));
    assert!(!files(&first).contains(&"model.onnx".to_owned()));
    assert_eq!(label_locally_and_served(&folder.models(), "pets"), "cup");
}

#[test]
fn trains_on_the_weights_of_an_architecture() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("models/base");
    checkpoints::import_weights("mobilenetv2_100", &base);
    let model = folder.path().join("models/pets");
    let photographs = cups_and_cats(folder.path(), 3);
    let options = ["--base", path(&base), "--cache", ""];
    let trained = ["train", path(&photographs), "-o", path(&model)];
    succeeded(&run(&[&trained[..], &options].concat()));
    let config = read_json(&model.join("config.json"));
    assert_eq!(config["architecture"], "mobilenetv2_100");
    assert!(files(&model).contains(&"network.safetensors".to_owned()));
    label_locally_and_served(&folder.path().join("models"), "pets");
}

#[test]
fn features_of_different_networks_are_never_mixed_up() {
    let folder = Folder::with("inverted_residual");
    let (other_network, other_filter) = (
        folder.folder.path().join("other-network"),
        folder.folder.path().join("other-filter"),
    );
    import_fixture("residual", &other_network, &[]);
    import_fixture("inverted_residual", &other_filter, &["--filter", "lanczos"]);
    let cache = folder.folder.path().join("cache");
    let cup = photograph("coffee.png");
    for round in 0..2 {
        for base in [&folder.base, &other_network, &other_filter] {
            let of = |cache: &str| features(&cup, &["--base", path(base), "--cache", cache]);
            assert_eq!(of(path(&cache)), of(""), "{round} {}", base.display());
        }
    }
    assert_eq!(files(&cache).len(), 3);
}

#[test]
fn says_what_can_be_a_base() {
    let folder = Folder::with("vit");
    let built_in = folder.models().join("built-in");
    succeeded(&train(&folder.photographs, &built_in, &[]));
    let empty = folder.models().join("empty");
    add_class(&empty, "cat", "chelsea.png", 1);
    for (base, output, expected) in [
        (
            &folder.base,
            "pets",
            "does not end with global average pooling and a linear layer: use another",
        ),
        (
            &built_in,
            "pets",
            "has neither model.onnx nor network.safetensors: give a folder that `imageclassifier import` wrote",
        ),
        (&empty, "pets", "has neither model.onnx nor"),
        (
            &folder.base,
            "base",
            "is the folder of --base: give another with --output",
        ),
    ] {
        let model = folder.models().join(output);
        let output = train(&folder.photographs, &model, &["--base", path(base)]);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains(expected), "{said}");
    }
    assert!(!folder.models().join("pets").exists());
}
