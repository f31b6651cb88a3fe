use std::{fs, path::Path, process::Output};

use crate::{
    own_classes::{json, path, succeeded},
    server::{photograph, run, server, text},
};

/// A network of `onnx/tests/fixtures`: 10 classes, images of 16 x 16 pixels.
fn fixture(name: &str) -> String {
    format!(
        "{}/../onnx/tests/fixtures/{name}.onnx",
        env!("CARGO_MANIFEST_DIR")
    )
}

const LABELS: &str = "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n";

/// Imports a fixture into the folder `model`, with torchvision's preprocessing unless `options` say something else.
pub(crate) fn import_fixture(name: &str, model: &Path, options: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("labels.txt");
    fs::write(&labels, LABELS).unwrap();
    let network = fixture(name);
    let arguments = ["import", &network, "-o", path(model)];
    let described = ["--labels", path(&labels), "--preprocessing", "torchvision"];
    let imported = run(&[&arguments[..], &described, options].concat());
    succeeded(&imported);
    imported
}

/// The label of a photograph from this model in the folder of models, which is the same locally and from a server.
pub(crate) fn label_locally_and_served(models: &Path, name: &str) -> String {
    let (model, cup) = (models.join(name), photograph("coffee.png"));
    let local = [
        "classify",
        "--local",
        "--csv",
        "--model",
        path(&model),
        &cup,
    ];
    let url = server(&["--models", path(models)]);
    let served = ["classify", "--csv", "--model", name, "--server", &url, &cup];
    let [local, served] = [&local[..], &served].map(|arguments| {
        let output = run(arguments);
        succeeded(&output);
        let rows = text(&output.stdout);
        let columns = rows.lines().nth(1).unwrap().split(',').take(2);
        columns.map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(local, served);
    local[1].clone()
}

#[test]
fn imports_a_network_which_is_then_used_locally_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    let model = models.join("digits");
    let imported = import_fixture("inverted_residual", &model, &["--filter", "bicubic"]);
    assert!(
        text(&imported.stdout)
            .contains("10 classes, 16 x 16 pixels, 100.0 % of the arithmetic in kernels")
    );
    let config = json(&model.join("config.json"));
    assert_eq!(config["preprocessing"]["filter"], "catmull-rom");
    assert_eq!(config["preprocessing"]["mean"][0], 123.675);
    assert_eq!(config["labels"][9], "nine");

    let label = label_locally_and_served(&models, "digits");
    assert!(LABELS.contains(&label));

    let inspected = run(&["inspect", path(&model)]);
    succeeded(&inspected);
    let inspected = text(&inspected.stdout);
    for part in [
        "16 x 16 pixels: resize to 18, then crop 16; catmull-rom, rgb",
        "conv 5x5 s1 / 48 groups + silu",
        "heatmaps           yes",
    ] {
        assert!(inspected.contains(part), "{inspected}");
    }
    let profiled = run(&["inspect", "--profile", path(&model)]);
    succeeded(&profiled);
    assert!(text(&profiled.stdout).contains("fused block"));
}

#[test]
fn says_what_to_write_where_labels_or_preprocessing_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("digits");
    let labels = folder.path().join("labels.txt");
    fs::write(&labels, LABELS).unwrap();
    let network = fixture("residual");
    let import = |options: &[&str]| {
        let output = run(&[&["import", &network, "-o", path(&output)], options].concat());
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let error = import(&[]);
    assert!(
        error.contains("nothing names the 10 classes: give --labels FILE"),
        "{error}"
    );
    let error = import(&["--labels", "imagenet"]);
    assert!(
        error.contains("imagenet has 1000 labels, but the network has 10 classes"),
        "{error}"
    );
    let error = import(&["--labels", path(&labels)]);
    assert!(
        error.contains("add --mean, --std, --filter, --crop-fraction or --squash"),
        "{error}"
    );
    let error = import(&["--architecture", "resnet18"]);
    assert!(
        error.contains("residual.onnx is read as ONNX: rename it to .safetensors or .pth"),
        "{error}"
    );
    assert!(!output.exists());
}

#[test]
fn reads_labels_and_preprocessing_from_a_hugging_face_folder() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::create_dir_all(source.join("onnx")).unwrap();
    fs::copy(fixture("vit"), source.join("onnx/model.onnx")).unwrap();
    let labels: serde_json::Map<_, _> = (0..10)
        .map(|class| (class.to_string(), format!("label {class}").into()))
        .collect();
    let config = serde_json::json!({"id2label": labels});
    fs::write(source.join("config.json"), config.to_string()).unwrap();
    let preprocessor = serde_json::json!({
        "size": {"height": 16, "width": 16},
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "resample": 3,
    });
    fs::write(
        source.join("preprocessor_config.json"),
        preprocessor.to_string(),
    )
    .unwrap();
    let model = folder.path().join("tokens");
    succeeded(&run(&["import", path(&source), "-o", path(&model)]));
    let config = json(&model.join("config.json"));
    assert_eq!(config["labels"][3], "label 3");
    assert_eq!(config["preprocessing"]["resize"], "squash");
    assert_eq!(config["preprocessing"]["scale"][0], 127.5);
    let explained = run(&[
        "classify",
        "--local",
        "--model",
        path(&model),
        "--explain",
        path(&folder.path().join("maps")),
        &photograph("coffee.png"),
    ]);
    assert_ne!(explained.status.code(), Some(0));
    assert!(text(&explained.stderr).contains("does not end with global average pooling"));
}

#[test]
fn leaves_the_folder_of_its_source_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let network = folder.join("model.onnx");
    fs::copy(fixture("inverted_residual"), &network).unwrap();
    fs::write(folder.join("config.json"), r#"{"model_type": "vit"}"#).unwrap();
    fs::write(folder.join("labels.txt"), LABELS).unwrap();
    let import = ["import", path(&network), "-o", path(folder)];
    let labels = folder.join("labels.txt");
    let described = ["--labels", path(&labels), "--preprocessing", "torchvision"];
    let rejected = run(&[&import[..], &described].concat());
    assert_eq!(rejected.status.code(), Some(2));
    let said = text(&rejected.stderr);
    assert!(
        said.contains("is the folder of the source: give another with --output"),
        "{said}"
    );
    let config = fs::read_to_string(folder.join("config.json")).unwrap();
    assert_eq!(config, r#"{"model_type": "vit"}"#);
}
