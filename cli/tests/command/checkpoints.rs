//! `import` of the weights of a named architecture.

use std::{fs, path::Path};

use imageclassifier_checkpoints::{Architecture, GraphError, Weights};
use imageclassifier_model::{Classifier, Compute, ImportedModel, ImportedNetwork};
use serde_json::{Map, Value, json};

use crate::{
    import::label_locally_and_served,
    own_classes::{json as read_json, path, succeeded},
    server::{run, text},
};

const LABELS: [&str; 3] = ["mug", "rocket", "astronaut"];

/// Has whatever tensor a network asks for, and writes them as safetensors.
#[derive(Default)]
struct Recorder {
    header: Map<String, Value>,
    data: Vec<u8>,
}

impl Weights for Recorder {
    fn contains(&self, _name: &str) -> bool {
        true
    }

    fn rows(&self, _name: &str) -> Option<usize> {
        Some(LABELS.len())
    }

    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, GraphError> {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = match shape {
            [_] if name.ends_with("bias") || name.ends_with("running_mean") => vec![0.0; count],
            [_] => vec![1.0; count],
            _ => {
                let fan_in =
                    f32::from(u16::try_from(shape[1..].iter().product::<usize>()).unwrap());
                let scale = (3.0 / fan_in).sqrt() / 500.0;
                let value = |i: usize| f32::from(u16::try_from(i * 7919 % 1001).unwrap()) - 500.0;
                (0..count).map(|i| value(i) * scale).collect()
            }
        };
        let begin = self.data.len();
        self.data
            .extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let entry =
            json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, self.data.len()]});
        self.header.insert(name.to_owned(), entry);
        Ok(values)
    }
}

/// `model.safetensors` of an architecture.
fn write_weights(file: &Path, architecture: &str) {
    let architecture = Architecture::named(architecture).unwrap();
    let mut recorder = Recorder::default();
    architecture.graph(&mut recorder, 32).unwrap();
    let header = Value::Object(recorder.header).to_string();
    let length = (header.len() as u64).to_le_bytes();
    fs::write(
        file,
        [&length[..], header.as_bytes(), &recorder.data].concat(),
    )
    .unwrap();
}

/// Imports weights of `architecture` into the folder `model`.
pub(crate) fn import_weights(architecture: &str, model: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let (weights, labels) = (
        folder.path().join("weights.safetensors"),
        folder.path().join("labels.txt"),
    );
    write_weights(&weights, architecture);
    fs::write(&labels, LABELS.join("\n")).unwrap();
    let source = ["import", path(&weights), "-o", path(model)];
    let described = [
        "--architecture",
        architecture,
        "--input-size",
        "64",
        "--labels",
        path(&labels),
        "--preprocessing",
        "unit",
    ];
    succeeded(&run(&[&source[..], &described].concat()));
}

/// A folder as timm's `save_for_hf` writes it.
fn timm_folder(folder: &Path, architecture: &str) {
    fs::create_dir_all(folder).unwrap();
    // Both architectures have the same weights.
    write_weights(&folder.join("model.safetensors"), "mobilenetv3_small_100");
    let config = json!({
        "architecture": architecture,
        "num_classes": LABELS.len(),
        "label_names": LABELS,
        "pretrained_cfg": {
            "input_size": [3, 64, 64],
            "interpolation": "bicubic",
            "crop_pct": 0.875,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
        },
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

#[test]
fn imports_a_folder_of_timm_which_is_then_used_locally_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    timm_folder(&source, "mobilenetv3_small_100.lamb_in1k");
    let models = folder.path().join("models");
    let model = models.join("things");
    let imported = run(&["import", path(&source), "-o", path(&model)]);
    succeeded(&imported);
    assert!(
        text(&imported.stdout)
            .contains("3 classes, 64 x 64 pixels, 100.0 % of the arithmetic in kernels")
    );
    let config = read_json(&model.join("config.json"));
    assert_eq!(config["architecture"], "mobilenetv3_small_100");
    assert_eq!(config["labels"], json!(LABELS));
    // The weights are those that were downloaded.
    let weights = |folder: &Path, name: &str| fs::read(folder.join(name)).unwrap();
    assert!(weights(&source, "model.safetensors") == weights(&model, "network.safetensors"));

    let label = label_locally_and_served(&models, "things");
    assert!(LABELS.contains(&&*label));

    let inspected = run(&["inspect", path(&model)]);
    succeeded(&inspected);
    let inspected = text(&inspected.stdout);
    for part in ["fused blocks       11", "blocks.2.0.conv_dw"] {
        assert!(inspected.contains(part), "{inspected}");
    }
}

#[test]
fn says_what_to_write_where_the_architecture_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("weights.safetensors");
    write_weights(&weights, "mobilenetv3_small_100");
    let labels = folder.path().join("labels.txt");
    fs::write(&labels, LABELS.join("\n")).unwrap();
    let output = folder.path().join("things");
    let import = |options: &[&str]| {
        let always = [
            "import",
            path(&weights),
            "-o",
            path(&output),
            "--preprocessing",
            "unit",
        ];
        let output = run(&[&always, options].concat());
        (output.status.code(), text(&output.stderr))
    };
    for (options, expected) in [
        (
            &[][..],
            "give --architecture NAME, which is one of tf_efficientnet_lite0,",
        ),
        (
            &["--architecture", "resnet18d"],
            "--architecture is \"resnet18d\", whose weights alone are not supported",
        ),
        (&["--architecture", "resnet50"], "give --input-size"),
        (
            &["--architecture", "resnet50", "--input-size", "64"],
            "does not have the weights of resnet50: layer \"conv1.weight\": it is missing",
        ),
        (
            &[
                "--architecture",
                "mobilenetv3_small_100",
                "--input-size",
                "4097",
            ],
            "4097 is not in 1..=4096",
        ),
    ] {
        let (status, error) = import(options);
        assert_eq!(status, Some(2), "{error}");
        assert!(error.contains(expected), "{error}");
        assert!(!output.exists());
    }
    let (status, error) = import(&[
        "--architecture",
        "mobilenetv3_small_100",
        "--input-size",
        "64",
    ]);
    assert_eq!(status, Some(0), "{error}");
}

#[test]
fn the_same_weights_of_another_architecture_are_another_revision() {
    let folder = tempfile::tempdir().unwrap();
    let import = |architecture: &str| {
        let source = folder.path().join("source");
        timm_folder(&source, architecture);
        let model = folder.path().join("things");
        succeeded(&run(&["import", path(&source), "-o", path(&model)]));
        let model = ImportedModel::read(&model).unwrap();
        let network = ImportedNetwork::load(&model, Compute::fastest()).unwrap();
        let classifier = Classifier::imported(&model, network);
        (model.digest().to_owned(), classifier.revision().to_owned())
    };
    let (digest, revision) = import("mobilenetv3_small_100");
    let (same_digest, other_revision) = import("tf_mobilenetv3_small_100");
    assert_eq!(digest, same_digest);
    assert_ne!(revision, other_revision);
}
