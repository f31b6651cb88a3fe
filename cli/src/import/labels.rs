//! Names of the classes, from wherever they are.

use std::{collections::BTreeMap, fs, path::Path};

use imageclassifier_model as model;
use serde_json::{Map, Value};

use super::{network::Network, source::Source};
use crate::args;

/// The labels of the network's classes.
///
/// # Errors
/// If there are none, or not as many.
pub(super) fn labels(
    args: &args::Import,
    source: &Source,
    network: &Network,
) -> Result<Vec<String>, String> {
    let classes = network.classes;
    let (labels, origin) = find(args, source, network)?.ok_or_else(|| {
        format!(
            "nothing names the {classes} classes: give --labels FILE with one name per line in the order of class index, or --labels imagenet for the 1000 classes of ImageNet-1k"
        )
    })?;
    if labels.len() == classes {
        return Ok(labels);
    }
    Err(format!(
        "{origin} has {} labels, but the network has {classes} classes: give --labels FILE with one name per line",
        labels.len()
    ))
}

fn find(
    args: &args::Import,
    source: &Source,
    network: &Network,
) -> Result<Option<(Vec<String>, String)>, String> {
    if let Some(path) = &args.labels {
        if path == Path::new("imagenet") {
            let labels = model::labels().iter().map(|label| (*label).to_owned());
            return Ok(Some((labels.collect(), "imagenet".to_owned())));
        }
        let text = fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        return Ok(Some((lines(&text), path.display().to_string())));
    }
    let config = source.config.as_ref().and_then(of_config);
    let found = config.map(|labels| (labels, "config.json".to_owned()));
    let file = || Some((lines(source.labels.as_ref()?), "labels.txt".to_owned()));
    let exported = || {
        let names = network.metadata.get("names")?;
        Some((of_names(names)?, "the ONNX file".to_owned()))
    };
    Ok(found.or_else(file).or_else(exported))
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Hugging Face's `id2label`, or timm's `label_names`.
fn of_config(config: &Value) -> Option<Vec<String>> {
    let names = config
        .get("id2label")
        .filter(|labels| labels.is_object())
        .or_else(|| config.get("label_names"))
        .or_else(|| config.get("pretrained_cfg")?.get("label_names"))?;
    match names {
        Value::Object(labels) => by_index(labels),
        Value::Array(names) => names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

/// The labels of an object such as `{"0": "cat", "1": "dog"}`.
fn by_index(labels: &Map<String, Value>) -> Option<Vec<String>> {
    let indexed = labels
        .iter()
        .map(|(index, label)| Some((index.parse().ok()?, label.as_str()?.to_owned())));
    in_order(indexed.collect::<Option<_>>()?)
}

fn in_order(indexed: BTreeMap<usize, String>) -> Option<Vec<String>> {
    let complete = indexed.keys().copied().eq(0..indexed.len());
    complete.then(|| indexed.into_values().collect())
}

/// A dictionary as Python prints it, `{0: 'cat', 1: "dog's"}`, or JSON.
fn of_names(text: &str) -> Option<Vec<String>> {
    if let Ok(Value::Object(labels)) = serde_json::from_str(text) {
        return by_index(&labels);
    }
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut indexed = BTreeMap::new();
    while !rest.is_empty() {
        let (index, after) = rest.split_once(':')?;
        let after = after.trim_start();
        let quote = after
            .chars()
            .next()
            .filter(|quote| matches!(quote, '\'' | '"'))?;
        let mut label = String::new();
        let mut characters = after[1..].char_indices();
        let end = loop {
            match characters.next()? {
                (_, '\\') => label.push(characters.next()?.1),
                (at, character) if character == quote => break at + 2,
                (_, character) => label.push(character),
            }
        };
        indexed.insert(index.trim().parse().ok()?, label);
        rest = after[end..]
            .trim_start()
            .trim_start_matches(',')
            .trim_start();
    }
    in_order(indexed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{of_config, of_names};

    #[test]
    fn reads_dictionaries_of_python_and_json() {
        for text in [
            r#"{0: 'cat', 1: "dog's"}"#,
            r#"{0:'cat',1:'dog\'s'}"#,
            r#"{"1": "dog's", "0": "cat"}"#,
        ] {
            assert_eq!(of_names(text).unwrap(), ["cat", "dog's"], "{text}");
        }
        for text in ["{0: 'cat', 2: 'dog'}", "{0: cat}", "{0: 'cat", "", "[]"] {
            assert_eq!(of_names(text), None, "{text}");
        }
    }

    #[test]
    fn reads_the_configurations_of_hugging_face_and_timm() {
        let hugging_face = json!({"id2label": {"1": "dog", "0": "cat"}});
        let timm = json!({"architecture": "resnet18", "label_names": ["cat", "dog"]});
        let dictionary =
            json!({"architecture": "resnet18", "label_names": {"1": "dog", "0": "cat"}});
        for config in [hugging_face, timm, dictionary] {
            assert_eq!(of_config(&config).unwrap(), ["cat", "dog"]);
        }
        assert_eq!(of_config(&json!({"num_classes": 2})), None);
    }
}
