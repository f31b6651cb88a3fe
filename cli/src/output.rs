use std::path::Path;

use imageclassifier_client::{Answer, ErrorReason, json};
use serde::Serialize;

use crate::classify::FileError;

/// One line of `--json`.
#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Classified {
        file: String,
        #[serde(flatten)]
        answer: json::Answer<'a>,
    },
    Failed {
        file: String,
        error: String,
        reason: Option<&'static str>,
    },
}

/// Prints one JSON object on a line of its own, whether `file` was classified or not.
pub(crate) fn json(file: &Path, result: &Result<Answer, FileError>) {
    let line = match result {
        Ok(answer) => Line::Classified {
            file: file.display().to_string(),
            answer: answer.into(),
        },
        Err(error) => failed(file, error),
    };
    let line = serde_json::to_string(&line).expect("text and numbers are JSON");
    println!("{line}");
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
