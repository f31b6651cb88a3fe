use std::sync::Arc;

use ::parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, FloatType, Int32Type},
    errors::Result,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        reader::{FileReader, SerializedFileReader},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use bytes::Bytes;
use imageclassifier_client::Answer;

use crate::{file_error::FileError, output::Row};

/// The columns of `--csv` and the predictions. The list is written as the format asks:
/// <https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#lists>.
const SCHEMA: &str = "message results {
    required binary file (STRING);
    optional binary label (STRING);
    optional float confidence;
    optional int32 index (INTEGER(32,false));
    optional group predictions (LIST) {
        repeated group list {
            required group element {
                required binary label (STRING);
                required float confidence;
                required int32 index (INTEGER(32,false));
            }
        }
    }
    optional binary model (STRING);
    optional binary model_revision (STRING);
    optional binary request_id (STRING);
    optional float decode_ms;
    optional float queue_ms;
    optional float inference_ms;
    optional binary error (STRING);
    optional binary reason (STRING);
    optional boolean unknown;
    optional float known_score;
}";

/// The file's metadata with the name of the last image.
const LAST_FILE: &str = "imageclassifier.last_file";

/// Rows by columns.
#[derive(Default)]
pub(super) struct Columns {
    rows: u32,
    text_bytes: usize,
    last_file: String,
    file: Column<ByteArray>,
    label: Column<ByteArray>,
    confidence: Column<f32>,
    index: Column<i32>,
    predictions: Predictions,
    model: Column<ByteArray>,
    model_revision: Column<ByteArray>,
    request_id: Column<ByteArray>,
    decode_ms: Column<f32>,
    queue_ms: Column<f32>,
    inference_ms: Column<f32>,
    error: Column<ByteArray>,
    reason: Column<ByteArray>,
    unknown: Column<bool>,
    known_score: Column<f32>,
}

#[derive(Default)]
struct Predictions {
    label: Column<ByteArray>,
    confidence: Column<f32>,
    index: Column<i32>,
}

/// The values that are there, and the levels that say where they belong.
#[derive(Default)]
struct Column<T> {
    values: Vec<T>,
    /// 1 for a value of an optional column, 0 for none. Of lists: 2 for a value, 0 for no list.
    definition: Vec<i16>,
    /// Of lists: 0 for the first of a row, 1 for the others.
    repetition: Vec<i16>,
}

impl<T> Column<T> {
    fn push(&mut self, value: Option<T>) {
        self.definition.push(i16::from(value.is_some()));
        self.repetition.push(0);
        self.values.extend(value);
    }

    fn push_list(&mut self, values: Option<impl ExactSizeIterator<Item = T>>) {
        let Some(values) = values.filter(|values| values.len() > 0) else {
            self.definition.push(0);
            self.repetition.push(0);
            return;
        };
        let count = values.len();
        self.definition.extend(std::iter::repeat_n(2, count));
        self.repetition
            .extend((0..count).map(|position| i16::from(position > 0)));
        self.values.extend(values);
    }
}

impl Columns {
    pub(super) fn push(&mut self, name: &str, outcome: &std::result::Result<Answer, FileError>) {
        let row = Row::of(name, outcome);
        let mut text = |text: Option<&str>| {
            let text = text?;
            // What a value takes beside its bytes.
            self.text_bytes += text.len() + size_of::<ByteArray>();
            Some(ByteArray::from(text))
        };
        self.file.push(text(Some(row.file)));
        self.label.push(text(row.label));
        self.model.push(text(row.model));
        self.model_revision.push(text(row.model_revision));
        self.request_id.push(text(row.request_id));
        self.error.push(text(row.error.as_deref()));
        self.reason.push(text(row.reason));
        let predictions = outcome.as_ref().ok().map(|answer| &answer.predictions);
        let labels = predictions.map(|all| all.iter().map(|one| text(Some(&one.label))));
        let labels = labels.map(|labels| labels.map(|label| label.expect("a label is text")));
        self.predictions.label.push_list(labels);
        let confidences = predictions.map(|all| all.iter().map(|one| one.confidence));
        self.predictions.confidence.push_list(confidences);
        let indexes = predictions.map(|all| all.iter().map(|one| one.index.cast_signed()));
        self.predictions.index.push_list(indexes);
        self.confidence.push(row.confidence);
        self.index.push(row.index.map(u32::cast_signed));
        self.decode_ms.push(row.decode_ms);
        self.queue_ms.push(row.queue_ms);
        self.inference_ms.push(row.inference_ms);
        self.unknown.push(row.unknown);
        self.known_score.push(row.known_score);
        self.rows += 1;
        name.clone_into(&mut self.last_file);
    }

    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    pub(super) fn bytes(&self) -> usize {
        self.text_bytes
    }

    pub(super) fn encode(self) -> Bytes {
        let written = self
            .write()
            .expect("memory can be written, and the columns are those of the schema");
        written.into()
    }

    fn write(&self) -> Result<Vec<u8>> {
        let last_file = KeyValue::new(LAST_FILE.to_owned(), self.last_file.clone());
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("imageclassifier ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_key_value_metadata(Some(vec![last_file]))
            .build();
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties))?;
        let mut group = writer.next_row_group()?;
        let rows = &mut group;
        // In the order of the schema.
        write::<ByteArrayType>(rows, &self.file)?;
        write::<ByteArrayType>(rows, &self.label)?;
        write::<FloatType>(rows, &self.confidence)?;
        write::<Int32Type>(rows, &self.index)?;
        write::<ByteArrayType>(rows, &self.predictions.label)?;
        write::<FloatType>(rows, &self.predictions.confidence)?;
        write::<Int32Type>(rows, &self.predictions.index)?;
        write::<ByteArrayType>(rows, &self.model)?;
        write::<ByteArrayType>(rows, &self.model_revision)?;
        write::<ByteArrayType>(rows, &self.request_id)?;
        write::<FloatType>(rows, &self.decode_ms)?;
        write::<FloatType>(rows, &self.queue_ms)?;
        write::<FloatType>(rows, &self.inference_ms)?;
        write::<ByteArrayType>(rows, &self.error)?;
        write::<ByteArrayType>(rows, &self.reason)?;
        write::<BoolType>(rows, &self.unknown)?;
        write::<FloatType>(rows, &self.known_score)?;
        group.close()?;
        writer.close()?;
        Ok(bytes)
    }
}

fn write<D: DataType>(
    rows: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    column: &Column<D::T>,
) -> Result<()> {
    let mut writer = rows.next_column()?.expect("the schema has as many columns");
    let (definition, repetition) = (Some(&*column.definition), Some(&*column.repetition));
    writer
        .typed::<D>()
        .write_batch(&column.values, definition, repetition)?;
    writer.close()
}

/// The name of the last image in a file that [`Columns`] wrote.
pub(super) fn last_file(part: Bytes) -> std::result::Result<String, String> {
    let reader = SerializedFileReader::new(part).map_err(|error| error.to_string())?;
    let metadata = reader.metadata().file_metadata().key_value_metadata();
    let metadata = metadata.map_or(&[][..], Vec::as_slice);
    let last = metadata.iter().find(|entry| entry.key == LAST_FILE);
    let last = last.and_then(|last| last.value.clone());
    last.ok_or_else(|| format!("its metadata lack {LAST_FILE}"))
}

#[cfg(test)]
mod tests {
    use imageclassifier_client::Prediction;

    use super::*;

    fn answer(labels: &[&str]) -> Answer {
        Answer {
            label: labels.first().copied().unwrap_or_default().to_owned(),
            confidence: 0.5,
            predictions: labels
                .iter()
                .zip(7..)
                .map(|(label, index)| Prediction {
                    label: (*label).to_owned(),
                    confidence: 0.25,
                    index,
                    heatmap: None,
                })
                .collect(),
            known_score: Some(0.75),
            ..Answer::default()
        }
    }

    #[test]
    fn rows_can_be_read_back() {
        let mut columns = Columns::default();
        columns.push("a.jpg", &Ok(answer(&["beagle", "pug"])));
        columns.push("b.jpg", &Err(FileError::Unreadable("gone".to_owned())));
        columns.push("c.jpg", &Ok(answer(&["cat"])));
        assert_eq!(columns.rows(), 3);
        let reader = SerializedFileReader::new(columns.encode()).unwrap();
        let rows: Vec<_> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect();
        let expected = [
            r#"{file: "a.jpg", label: "beagle", confidence: 0.5, index: 7, predictions: [{label: "beagle", confidence: 0.25, index: 7}, {label: "pug", confidence: 0.25, index: 8}], model: "", model_revision: "", request_id: "", decode_ms: null, queue_ms: null, inference_ms: null, error: null, reason: null, unknown: false, known_score: 0.75}"#,
            r#"{file: "b.jpg", label: null, confidence: null, index: null, predictions: null, model: null, model_revision: null, request_id: null, decode_ms: null, queue_ms: null, inference_ms: null, error: "gone", reason: null, unknown: null, known_score: null}"#,
            r#"{file: "c.jpg", label: "cat", confidence: 0.5, index: 7, predictions: [{label: "cat", confidence: 0.25, index: 7}], model: "", model_revision: "", request_id: "", decode_ms: null, queue_ms: null, inference_ms: null, error: null, reason: null, unknown: false, known_score: 0.75}"#,
        ];
        assert_eq!(rows, expected);
    }
}
