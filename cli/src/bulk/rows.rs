use bytes::Bytes;
use imageclassifier_client::Answer;
use serde_json::Value;

use super::parquet::{self, Columns};
use crate::{args::Format, file_error::FileError, output::Line};

/// Rows of a part that is not full yet.
pub(super) enum Rows {
    Jsonl { lines: Vec<u8>, rows: u32 },
    Parquet(Box<Columns>),
}

impl Rows {
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::Jsonl => Self::Jsonl {
                lines: Vec::new(),
                rows: 0,
            },
            Format::Parquet => Self::Parquet(Box::default()),
        }
    }

    pub(super) fn push(&mut self, name: &str, outcome: &Result<Answer, FileError>) {
        match self {
            Self::Jsonl { lines, rows } => {
                serde_json::to_writer(&mut *lines, &Line::of(name, outcome, &[]))
                    .expect("a line can be written as JSON");
                lines.push(b'\n');
                *rows += 1;
            }
            Self::Parquet(columns) => columns.push(name, outcome),
        }
    }

    pub(super) fn len(&self) -> u32 {
        match self {
            Self::Jsonl { rows, .. } => *rows,
            Self::Parquet(columns) => columns.rows(),
        }
    }

    /// Memory that the rows take, roughly.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Jsonl { lines, .. } => lines.len(),
            Self::Parquet(columns) => columns.bytes(),
        }
    }

    /// The content of the object.
    pub(super) fn encode(self) -> Bytes {
        match self {
            Self::Jsonl { lines, .. } => lines.into(),
            Self::Parquet(columns) => columns.encode(),
        }
    }
}

/// The name of the last image in the object of a part.
pub(super) fn last_file(format: Format, part: Bytes) -> Result<String, String> {
    match format {
        Format::Jsonl => {
            let line = part.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
            let row: Option<Value> = line.and_then(|line| serde_json::from_slice(line).ok());
            let file = row.as_ref().and_then(|row| row["file"].as_str());
            let file = file.ok_or("its last line is not a row of results")?;
            Ok(file.to_owned())
        }
        Format::Parquet => parquet::last_file(part),
    }
}

#[cfg(test)]
mod tests {
    use imageclassifier_client::{CallError, ErrorKind, ErrorReason, Prediction};

    use super::*;

    fn espresso() -> Answer {
        let predictions = [("espresso", 0.95, 967), ("cup", 0.02, 968)];
        Answer {
            label: "espresso".to_owned(),
            confidence: 0.95,
            predictions: predictions
                .map(|(label, confidence, index)| Prediction {
                    label: label.to_owned(),
                    confidence,
                    index,
                    heatmap: None,
                })
                .into(),
            model: "efficientnet-lite0".to_owned(),
            ..Answer::default()
        }
    }

    #[test]
    fn the_last_image_of_a_part_can_be_read_back() {
        for format in [Format::Jsonl, Format::Parquet] {
            let mut rows = Rows::new(format);
            rows.push("s3://album/a.jpg", &Ok(espresso()));
            rows.push("s3://album/ä \"b\".jpg", &Err(FileError::too_large(5)));
            assert_eq!(rows.len(), 2);
            assert!(rows.bytes() > 100);
            let last = last_file(format, rows.encode());
            assert_eq!(last.as_deref(), Ok("s3://album/ä \"b\".jpg"));
            assert!(last_file(format, "no rows".into()).is_err());
        }
    }

    #[test]
    fn lines_are_those_of_json() {
        let mut rows = Rows::new(Format::Jsonl);
        let rejected = CallError::new(
            ErrorKind::InvalidInput,
            ErrorReason::ImageEmpty,
            "empty".to_owned(),
        );
        rows.push("a.jpg", &Ok(espresso()));
        rows.push("b.jpg", &Err(FileError::Rejected(rejected)));
        let lines: Vec<Value> = rows
            .encode()
            .trim_ascii_end()
            .split(|byte| *byte == b'\n')
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(lines[0]["label"], "espresso");
        assert_eq!(lines[0]["predictions"][1]["label"], "cup");
        let failed =
            serde_json::json!({ "file": "b.jpg", "error": "empty", "reason": "IMAGE_EMPTY" });
        assert_eq!(lines[1], failed);
    }
}
