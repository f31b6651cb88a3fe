//! The architecture of weights, from wherever it is written.

use imageclassifier_checkpoints::Architecture;
use serde_json::{Value, json};

use super::source::Source;
use crate::args;

/// # Errors
/// If nothing names an architecture that is supported: what to write.
pub(super) fn architecture(args: &args::Import, source: &Source) -> Result<Architecture, String> {
    if let Some(name) = &args.architecture {
        return named(name, "--architecture");
    }
    let config = source.config.as_ref();
    let found = config.and_then(|config| of_timm(config).or_else(|| of_hugging_face(config)));
    found.unwrap_or_else(|| {
        let model_type = config.and_then(|config| config.get("model_type")?.as_str());
        Err(unknown(model_type))
    })
}

/// What to write if no architecture is known.
fn unknown(model_type: Option<&str>) -> String {
    match model_type {
        // A ResNet without `depths` may have its name given.
        Some(model_type) if model_type != "resnet" => format!(
            "config.json describes a {model_type}, whose weights alone are not supported: export the model to ONNX"
        ),
        _ => format!(
            "nothing says which network has these weights: give --architecture NAME, which is one of {}",
            names()
        ),
    }
}

/// timm's `config.json`.
fn of_timm(config: &Value) -> Option<Result<Architecture, String>> {
    let name = config.get("architecture")?.as_str()?;
    let pooling = config.as_object()?.get_key_value("global_pool");
    let arguments = config.get("model_args").and_then(Value::as_object);
    let mut arguments = pooling.into_iter().chain(arguments.into_iter().flatten());
    Some(
        match arguments.find(|(key, value)| changes_layers(key, value)) {
            Some((key, value)) => Err(format!(
                "config.json changes {name} by {key} = {value}, which is not supported: export the model to ONNX"
            )),
            None => named(name, "architecture in config.json"),
        },
    )
}

/// Whether an argument of timm's networks changes what the layers compute. The shapes of the weights show how many classes
/// there are.
fn changes_layers(key: &str, value: &Value) -> bool {
    match key {
        "num_classes" | "pretrained" | "drop_rate" | "drop_path_rate" => false,
        "in_chans" => *value != 3,
        "global_pool" => *value != "avg",
        _ => true,
    }
}

/// `config.json` of transformers, for ResNets.
fn of_hugging_face(config: &Value) -> Option<Result<Architecture, String>> {
    if config.get("model_type")? != "resnet" {
        return None;
    }
    let is = |key: &str, usual: Value| config.get(key).is_none_or(|it| *it == usual);
    let is_usual = is("hidden_act", json!("relu"))
        && is("downsample_in_first_stage", json!(false))
        && is("downsample_in_bottleneck", json!(false));
    let layer = config.get("layer_type").and_then(Value::as_str);
    let depths = config.get("depths").and_then(Value::as_array)?;
    let depths: Vec<_> = depths.iter().filter_map(Value::as_u64).collect();
    let name = match (layer.unwrap_or("bottleneck"), depths.as_slice()) {
        ("basic", [2, 2, 2, 2]) if is_usual => "resnet18",
        ("basic", [3, 4, 6, 3]) if is_usual => "resnet34",
        ("bottleneck", [3, 4, 6, 3]) if is_usual => "resnet50",
        _ => {
            let problem =
                "config.json describes a ResNet that is not supported: export the model to ONNX";
            return Some(Err(problem.to_owned()));
        }
    };
    Some(named(name, "config.json"))
}

fn named(name: &str, origin: &str) -> Result<Architecture, String> {
    Architecture::named(name).ok_or_else(|| {
        format!(
            "{origin} is {name:?}, whose weights alone are not supported: export the model to ONNX. Supported are {}",
            names()
        )
    })
}

fn names() -> String {
    let names: Vec<_> = Architecture::all().map(Architecture::name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_configurations_of_timm_and_hugging_face() {
        let resnet = |depths: Value, layer: &str| json!({"model_type": "resnet", "depths": depths, "layer_type": layer, "hidden_act": "relu"});
        for (config, expected) in [
            (
                json!({"architecture": "resnet50.a1_in1k"}),
                Some("resnet50"),
            ),
            (
                json!({"architecture": "tf_efficientnet_lite0", "global_pool": "avg", "model_args": {"num_classes": 3, "in_chans": 3}}),
                Some("tf_efficientnet_lite0"),
            ),
            (
                json!({"architecture": "resnet18", "model_args": {"act_layer": "silu"}}),
                None,
            ),
            (json!({"architecture": "resnet18d"}), None),
            (
                json!({"architecture": "resnet18", "global_pool": "max"}),
                None,
            ),
            (resnet(json!([2, 2, 2, 2]), "basic"), Some("resnet18")),
            (resnet(json!([3, 4, 6, 3]), "basic"), Some("resnet34")),
            (resnet(json!([3, 4, 6, 3]), "bottleneck"), Some("resnet50")),
            (resnet(json!([3, 4, 23, 3]), "bottleneck"), None),
        ] {
            let found = of_timm(&config).or_else(|| of_hugging_face(&config));
            let found = found.unwrap().ok().map(Architecture::name);
            assert_eq!(found, expected, "{config}");
        }
        assert!(of_hugging_face(&json!({"model_type": "vit"})).is_none());
        assert!(unknown(Some("vit")).starts_with("config.json describes a vit, whose weights"));
        for model_type in [None, Some("resnet")] {
            assert!(unknown(model_type).contains("give --architecture NAME"));
        }
    }
}
