//! Heads on imported networks: their folders, and which files do not belong together.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path};

use imageclassifier_model::{
    Activation, Backend, ChannelOrder, Classifier, Compute, Filter, Framing, Head, HeadParts,
    ImportedModel, ImportedNetwork, Input, ModelFolder, NetworkFile, Preprocessing, ThreadTeam,
    Weights,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Features of the network `inverted_residual`.
const CHANNELS: usize = 40;

/// A network of `onnx/tests/fixtures`: 10 classes, images of 16 x 16 pixels.
fn import(network: &str) -> ImportedModel {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../onnx/tests/fixtures");
    let onnx = fs::read(fixtures.join(network).with_extension("onnx")).unwrap();
    let preprocessing = Preprocessing {
        version: String::new(),
        input_size: 16,
        framing: Framing::Squash,
        filter: Filter::Bilinear,
        order: ChannelOrder::Rgb,
        mean: [127.0; 3],
        scale: [128.0; 3],
    };
    ImportedModel::new(
        network,
        NetworkFile::Onnx(onnx.into()),
        (0..10).map(|class| format!("class {class}")).collect(),
        Activation::Softmax,
        preprocessing,
        json!({"file": network}),
    )
    .unwrap()
}

fn head(channels: usize) -> Head {
    let row = |sign: f32| (0..channels).map(move |at| sign * (at % 7) as f32);
    let parts = HeadParts {
        labels: ["cat", "dog"].map(str::to_owned).to_vec(),
        activation: Activation::Softmax,
        weight: row(1.0).chain(row(-1.0)).collect(),
        bias: vec![0.5, -0.5],
        class_means: vec![0.1; 2 * channels],
        temperature: 2.0,
        known_threshold: Some(0.5),
    };
    Head::new(parts, channels).unwrap()
}

/// A folder with such a head on `inverted_residual`.
fn trained() -> (TempDir, ImportedModel) {
    let folder = tempfile::tempdir().unwrap();
    let model = import("inverted_residual");
    let model = model.with_head("pets", head(CHANNELS), json!({"images": 12}));
    let model = model.unwrap();
    model.write(folder.path()).unwrap();
    (folder, model)
}

/// Why the model in `folder` cannot be used.
fn problem(folder: &Path) -> String {
    let loaded = ImportedModel::read_as(folder, "pets")
        .map_err(|error| error.source)
        .and_then(|model| ImportedNetwork::load(&model, Compute::fastest()));
    loaded.unwrap_err().to_string()
}

fn change_config(folder: &Path, change: impl FnOnce(&mut Value)) {
    let file = folder.join("config.json");
    let mut config = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    change(&mut config);
    fs::write(file, config.to_string()).unwrap();
}

#[test]
fn a_folder_has_the_network_and_the_head() {
    let (folder, model) = trained();
    let read = ImportedModel::read_as(folder.path(), "pets").unwrap();
    assert_eq!(read.labels(), ["cat", "dog"]);
    assert_eq!(read.origin(), &json!({"images": 12}));
    assert_eq!(read.digest(), model.digest());
    assert_ne!(read.digest(), read.network_digest());
    let network = ImportedNetwork::load(&read, Compute::fastest()).unwrap();
    let values = (0..16 * 16 * 3u16).map(|at| f32::from(at % 31) / 31.0);
    let input = Input::from_values(16, values.collect()).unwrap();
    let mut runner = network.runner();
    let inference = runner.infer(&input, &mut ThreadTeam::solo(), true).unwrap();
    let classifier = Classifier::imported(&read, network.clone());
    let logits = classifier.logits(&inference).unwrap();
    let expected = head(CHANNELS).logits(&inference.embedding).unwrap();
    assert_eq!(logits, expected);
    assert_eq!(
        classifier.known(&inference),
        Some(head(CHANNELS).known(&inference.embedding))
    );
    assert_eq!(classifier.rank(&logits, 5).classes().len(), 2);
    // The mean of a heatmap, and the class's bias over the temperature, are its logit.
    for (class, bias) in [0.25, -0.25].into_iter().enumerate() {
        let map = classifier.heatmap(&inference, class).unwrap().values;
        let mean = map.iter().sum::<f32>() / map.len() as f32;
        assert!((mean + bias - logits.values()[class]).abs() < 1e-4);
    }

    let original = Classifier::imported(&model, network.clone());
    assert_eq!(classifier.revision(), original.revision());
    let base = Classifier::imported(&import("inverted_residual"), network);
    assert_ne!(classifier.revision(), base.revision());
}

#[test]
fn the_base_of_a_head_can_have_a_head_itself() {
    let (_folder, model) = trained();
    let again = model
        .with_head("pets", head(CHANNELS), json!({"images": 12}))
        .unwrap();
    assert_eq!(again.digest(), model.digest());
    assert_eq!(again.features_digest(), model.features_digest());
}

#[test]
fn features_depend_on_the_network_and_the_preprocessing() {
    let digest = |change: fn(&mut Value)| {
        let (folder, _) = trained();
        // Without a head, any preprocessing is valid.
        import("inverted_residual").write(folder.path()).unwrap();
        change_config(folder.path(), change);
        let model = ImportedModel::read_as(folder.path(), "pets").unwrap();
        model.features_digest()
    };
    let same = digest(|_| {});
    assert_eq!(same, digest(|config| config["labels"][0] = "other".into()));
    for other in [
        digest(|config| config["preprocessing"]["mean"][0] = 0.0.into()),
        digest(|config| config["preprocessing"]["filter"] = "lanczos3".into()),
        import("residual").features_digest(),
    ] {
        assert_ne!(same, other);
    }
}

#[test]
fn rejects_files_that_do_not_belong_together() {
    let other_network = "was not trained on the network and preprocessing";
    let replace_network = |folder: &Path| {
        let onnx = import("residual");
        onnx.write(&folder.join("other")).unwrap();
        fs::copy(folder.join("other/model.onnx"), folder.join("model.onnx")).unwrap();
    };
    let change_preprocessing = |folder: &Path| {
        change_config(folder, |it| it["preprocessing"]["mean"][0] = 0.0.into());
    };
    let add_label = |folder: &Path| {
        change_config(folder, |it| {
            it["labels"].as_array_mut().unwrap().push("cow".into());
        });
    };
    let replace_head = |channels: usize| {
        move |folder: &Path| {
            let base = import("inverted_residual");
            let other = base.with_head("pets", head(channels), Value::Null);
            other.unwrap().write(folder).unwrap();
        }
    };
    let no_pooling = |folder: &Path| {
        let model = import("vit").with_head("pets", head(CHANNELS), Value::Null);
        model.unwrap().write(folder).unwrap();
    };
    let remove_head = |folder: &Path| fs::remove_file(folder.join("model.safetensors")).unwrap();
    let cut_head = |folder: &Path| {
        let file = folder.join("model.safetensors");
        let bytes = fs::read(&file).unwrap();
        fs::write(file, &bytes[..bytes.len() - 4]).unwrap();
    };
    let built_in_config = |folder: &Path| change_config(folder, |it| it["format"] = 1.into());
    let later_config = |folder: &Path| change_config(folder, |it| it["format"] = 4.into());
    type Spoil<'a> = &'a dyn Fn(&Path);
    let spoil: [(Spoil<'_>, &str); 9] = [
        (&replace_network, other_network),
        (&change_preprocessing, other_network),
        (&add_label, "fc.weight has shape [2, 40] instead of [3, 40]"),
        (
            &replace_head(39),
            "is for 39 features, but the network has 40",
        ),
        (&no_pooling, "does not end with global average pooling"),
        (&remove_head, "cannot read model.safetensors"),
        (&cut_head, "model.safetensors is malformed"),
        (
            &built_in_config,
            "is of a model without a network of its own",
        ),
        (&later_config, "format 4, this program knows formats 1 to 3"),
    ];
    for (spoil, expected) in spoil {
        let (folder, _) = trained();
        spoil(folder.path());
        let problem = problem(folder.path());
        assert!(problem.contains(expected), "{problem}");
    }
}

#[test]
fn a_folder_says_how_images_and_results_are_read() {
    let folder = tempfile::tempdir().unwrap();
    import("inverted_residual").write(folder.path()).unwrap();
    let config = fs::read(folder.path().join("config.json")).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["activation"], "softmax");
    let preprocessing = json!({
        "input_size": 16,
        "resize": "squash",
        "filter": "bilinear",
        "channels": "rgb",
        "mean": [127.0, 127.0, 127.0],
        "scale": [128.0, 128.0, 128.0],
    });
    assert_eq!(config["preprocessing"], preprocessing);
    for (resize, framing) in [
        ("crop", Framing::ResizeThenCrop(0.875)),
        ("crop-first", Framing::CropThenResize(0.875)),
    ] {
        change_config(folder.path(), |it| {
            it["preprocessing"]["resize"] = resize.into();
            it["preprocessing"]["crop_fraction"] = 0.875.into();
            it["preprocessing"]["channels"] = "bgr".into();
        });
        let model = ImportedModel::read_as(folder.path(), "pets").unwrap();
        assert_eq!(model.preprocessing().framing, framing);
        assert_eq!(model.preprocessing().order, ChannelOrder::Bgr);
        // Written again, it says the same.
        model.write(&folder.path().join(resize)).unwrap();
        let again = ImportedModel::read_as(&folder.path().join(resize), "pets").unwrap();
        assert_eq!(again.preprocessing(), model.preprocessing());
        assert_eq!(again.digest(), model.digest());
    }
}

#[test]
fn rejects_labels_and_preprocessing_that_no_model_has() {
    let set = |key: &'static str, value: Value| {
        move |config: &mut Value| config["preprocessing"][key] = value.clone()
    };
    let labels = |labels: Value| move |config: &mut Value| config["labels"] = labels.clone();
    let crop = |fraction: f64| {
        move |config: &mut Value| {
            config["preprocessing"]["resize"] = "crop".into();
            config["preprocessing"]["crop_fraction"] = fraction.into();
        }
    };
    type Change<'a> = &'a dyn Fn(&mut Value);
    let ten = || (0..10).map(|class| format!("class {class}"));
    let with_empty: Vec<_> = ten().skip(1).chain([String::new()]).collect();
    let changes: [(Change<'_>, &str); 12] = [
        (&labels(json!(["one"])), "there are 1 labels: a model has 2"),
        (
            &labels(json!(["one", "two"])),
            "there are 2 labels, but the network has 10 classes",
        ),
        (&labels(with_empty.into()), "label 9 is empty"),
        (&set("input_size", 0.into()), "input_size is not 1 to 4096"),
        (&set("input_size", 15.into()), "but the network reads"),
        (&set("resize", "stretch".into()), "resize is not"),
        (&set("crop_fraction", 0.5.into()), "resize is not"),
        (&crop(0.0), "resize is not"),
        (&crop(1.01), "resize is not"),
        (&set("filter", "nearest".into()), "filter is not"),
        (&set("channels", "grey".into()), "channels is not"),
        (&set("scale", json!([1.0, 0.0, 1.0])), "mean or scale"),
    ];
    for (change, expected) in changes {
        let folder = tempfile::tempdir().unwrap();
        import("inverted_residual").write(folder.path()).unwrap();
        change_config(folder.path(), change);
        let problem = problem(folder.path());
        assert!(problem.contains(expected), "{problem}");
    }
    let folder = tempfile::tempdir().unwrap();
    import("inverted_residual").write(folder.path()).unwrap();
    change_config(folder.path(), crop(1.0));
    ImportedModel::read_as(folder.path(), "pets").unwrap();
}

#[test]
fn a_head_needs_kernels() {
    let (_folder, model) = trained();
    let plain = Compute::Plain(Backend::Flex);
    let problem = ImportedNetwork::load(&model, plain).unwrap_err();
    assert!(problem.to_string().contains("leave out --kernel plain"));
}

#[test]
fn a_model_without_its_network_is_no_model() {
    let (folder, _) = trained();
    fs::remove_file(folder.path().join("model.onnx")).unwrap();
    let problem = ModelFolder::read_as(folder.path(), "pets").unwrap_err();
    let problem = problem.source.to_string();
    assert!(
        problem.contains("neither model.onnx nor network.safetensors"),
        "{problem}"
    );
}

#[test]
fn a_model_of_another_kind_leaves_nothing_of_the_one_before() {
    let (folder, _) = trained();
    let files = || {
        let files = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(files(), ["config.json", "model.onnx", "model.safetensors"]);
    import("inverted_residual").write(folder.path()).unwrap();
    assert_eq!(files(), ["config.json", "model.onnx"]);
    let weights = Weights::lite0();
    let built_in = ModelFolder::new(
        "pets",
        head(weights.variant().channels()),
        &weights,
        Value::Null,
    );
    built_in.unwrap().write(folder.path()).unwrap();
    assert_eq!(files(), ["config.json", "model.safetensors"]);
    ModelFolder::read_as(folder.path(), "pets").unwrap();
}

#[test]
fn files_that_are_no_models_stay() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("model.safetensors");
    fs::write(&weights, "of Hugging Face").unwrap();
    fs::write(
        folder.path().join("config.json"),
        r#"{"model_type": "vit"}"#,
    )
    .unwrap();
    import("inverted_residual").write(folder.path()).unwrap();
    assert_eq!(fs::read(weights).unwrap(), b"of Hugging Face");
}
