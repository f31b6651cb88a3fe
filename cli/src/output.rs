use std::path::Path;

use imageclassifier_client::{Answer, ErrorReason};
use serde::Serialize;

use crate::classify::FileError;

/// One line of `--json`.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Classified {
        file: String,
        label: &'a str,
        confidence: f32,
        predictions: Vec<Prediction<'a>>,
        model: &'a str,
        model_revision: &'a str,
        request_id: &'a str,
        decode_ms: f32,
        queue_ms: f32,
        inference_ms: f32,
    },
    Failed {
        file: String,
        error: String,
        reason: Option<&'static str>,
    },
}

#[derive(Serialize)]
struct Prediction<'a> {
    label: &'a str,
    confidence: f32,
    index: u32,
}

/// Prints one JSON object on a line of its own, whether `file` was classified or not.
pub(crate) fn json(file: &Path, result: &Result<Answer, FileError>) {
    let line = match result {
        Ok(answer) => classified(file, answer),
        Err(error) => failed(file, error),
    };
    let line = serde_json::to_string(&line).expect("text and numbers are JSON");
    println!("{line}");
}

fn classified<'a>(file: &Path, answer: &'a Answer) -> Line<'a> {
    let timings = answer.timings.unwrap_or_default();
    let predictions = answer.predictions.iter().map(|prediction| Prediction {
        label: &prediction.label,
        confidence: prediction.confidence,
        index: prediction.index,
    });
    Line::Classified {
        file: file.display().to_string(),
        label: &answer.label,
        confidence: answer.confidence,
        predictions: predictions.collect(),
        model: &answer.model,
        model_revision: &answer.model_revision,
        request_id: &answer.request_id,
        decode_ms: timings.decode_ms,
        queue_ms: timings.queue_ms,
        inference_ms: timings.inference_ms,
    }
}

fn failed(file: &Path, error: &FileError) -> Line<'static> {
    let reason = match error {
        FileError::Refused(error) if error.reason() != ErrorReason::Unspecified => {
            Some(error.reason().as_str_name())
        }
        FileError::Refused(_) | FileError::Unreadable(_) => None,
    };
    Line::Failed {
        file: file.display().to_string(),
        error: error.to_string(),
        reason,
    }
}

/// Prints the file's name and under it one prediction a line, most probable first.
pub(crate) fn text(file: &Path, answer: &Answer) {
    println!("{}", file.display());
    for prediction in &answer.predictions {
        println!(
            "{:6.1} %  {}",
            prediction.confidence * 100.0,
            prediction.label
        );
    }
}
