use std::io::{self, Stdout, Write, stdout};

use imageclassifier_client::{Answer, json};
use serde::Serialize;

use crate::{args, file_error::FileError, inputs::Input};

/// Longer names move the other columns of their row to the right.
const NAME_COLUMNS_MAX: usize = 64;

/// The output on standard output.
pub(crate) enum Output {
    /// A row for each prediction; nothing for images that failed.
    Table {
        name_columns: usize,
        has_header: bool,
    },
    /// One object per line.
    Json,
    /// One row for each image.
    Csv(Box<csv::Writer<Stdout>>),
}

impl Output {
    pub(crate) fn new(args: &args::Classify, inputs: &[Input]) -> Self {
        if args.json {
            return Self::Json;
        }
        if args.csv {
            return Self::Csv(Box::new(csv::Writer::from_writer(stdout())));
        }
        let lengths = inputs.iter().map(|input| input.name().chars().count());
        Self::Table {
            name_columns: lengths.max().unwrap_or_default().min(NAME_COLUMNS_MAX),
            has_header: false,
        }
    }

    /// Prints the result of the image called `name`, and the paths of its heatmaps.
    pub(crate) fn write(
        &mut self,
        name: &str,
        outcome: &Result<Answer, FileError>,
        heatmaps: &[String],
    ) -> io::Result<()> {
        match self {
            Self::Table {
                name_columns,
                has_header,
            } => {
                let Ok(answer) = outcome else { return Ok(()) };
                let mut out = stdout().lock();
                if !*has_header {
                    *has_header = true;
                    writeln!(out, "{:name_columns$}  confidence  label", "file")?;
                }
                table(&mut out, name, *name_columns, answer)
            }
            Self::Json => {
                let line = serde_json::to_string(&Line::of(name, outcome, heatmaps));
                writeln!(stdout(), "{}", line.expect("a line can be written as JSON"))
            }
            Self::Csv(writer) => {
                writer.serialize(Row::of(name, outcome))?;
                writer.flush()
            }
        }
    }
}

fn table(out: &mut impl Write, name: &str, name_columns: usize, answer: &Answer) -> io::Result<()> {
    let names = std::iter::once(name).chain(std::iter::repeat(""));
    let notes = std::iter::once(unknown_note(answer)).chain(std::iter::repeat(String::new()));
    for ((prediction, name), note) in answer.predictions.iter().zip(names).zip(notes) {
        let percent = prediction.confidence * 100.0;
        let label = &prediction.label;
        writeln!(out, "{name:name_columns$}  {percent:8.1} %  {label}{note}")?;
    }
    Ok(())
}

/// What stands behind the best label of an image that resembles none of the classes.
fn unknown_note(answer: &Answer) -> String {
    match answer.known_score {
        Some(score) if answer.unknown => format!("  (unknown: similarity {score:.2})"),
        _ => String::new(),
    }
}

/// One line of `--json`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Line<'a> {
    Classified {
        file: &'a str,
        #[serde(flatten)]
        answer: json::Answer<'a>,
        /// Paths of the heatmaps, most probable class first.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        heatmap_files: &'a [String],
    },
    Failed {
        file: &'a str,
        error: String,
        reason: Option<&'static str>,
    },
}

impl<'a> Line<'a> {
    pub(crate) fn of(
        file: &'a str,
        outcome: &'a Result<Answer, FileError>,
        heatmaps: &'a [String],
    ) -> Self {
        match outcome {
            Ok(answer) => Self::Classified {
                file,
                answer: answer.into(),
                heatmap_files: heatmaps,
            },
            Err(error) => Self::Failed {
                file,
                error: error.to_string(),
                reason: error.reason(),
            },
        }
    }
}

/// One row of `--csv`; its fields are the header. The page exports the first twelve.
#[derive(Default, Serialize)]
pub(crate) struct Row<'a> {
    pub(crate) file: &'a str,
    pub(crate) label: Option<&'a str>,
    pub(crate) confidence: Option<f32>,
    pub(crate) index: Option<u32>,
    pub(crate) model: Option<&'a str>,
    pub(crate) model_revision: Option<&'a str>,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) decode_ms: Option<f32>,
    pub(crate) queue_ms: Option<f32>,
    pub(crate) inference_ms: Option<f32>,
    pub(crate) error: Option<String>,
    pub(crate) reason: Option<&'static str>,
    pub(crate) unknown: Option<bool>,
    pub(crate) known_score: Option<f32>,
}

impl<'a> Row<'a> {
    pub(crate) fn of(file: &'a str, outcome: &'a Result<Answer, FileError>) -> Self {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(error) => {
                return Self {
                    file,
                    error: Some(error.to_string()),
                    reason: error.reason(),
                    ..Self::default()
                };
            }
        };
        Self {
            file,
            label: Some(&answer.label),
            confidence: Some(answer.confidence),
            index: answer.predictions.first().map(|first| first.index),
            model: Some(&answer.model),
            model_revision: Some(&answer.model_revision),
            request_id: Some(&answer.request_id),
            decode_ms: answer.timings.map(|timings| timings.decode_ms),
            queue_ms: answer.timings.map(|timings| timings.queue_ms),
            inference_ms: answer.timings.map(|timings| timings.inference_ms),
            error: None,
            reason: None,
            unknown: answer.known_score.map(|_| answer.unknown),
            known_score: answer.known_score,
        }
    }
}
