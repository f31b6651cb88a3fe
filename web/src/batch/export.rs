//! A batch as a file, in the command line's forms: a line of JSON, or a row of CSV, for each image. serde_json would make the
//! same lines and the page larger.

use imageclassifier_client::{Answer, Crop, Prediction};

use crate::session::request_error::RequestError;

/// As `imageclassifier classify --csv` writes it.
const CSV_HEADER: &str = "file,label,confidence,index,model,model_revision,request_id,decode_ms,queue_ms,inference_ms,error,reason,unknown,known_score\n";
/// What is written for an image whose request was cancelled.
const CANCELLED: &str = "cancelled";

/// A finished row.
pub(super) struct Finished<'a> {
    pub(super) path: &'a str,
    pub(super) result: Result<&'a Answer, Option<&'a RequestError>>,
}

/// One object a line, with the `top` most probable classes of each image.
pub(super) fn json(rows: &[Finished<'_>], top: usize) -> String {
    rows.iter().map(|row| json_line(row, top)).collect()
}

/// RFC 4180, but for its line ends, which are the command line's.
pub(super) fn csv(rows: &[Finished<'_>]) -> String {
    let lines = rows.iter().map(csv_line);
    std::iter::once(CSV_HEADER.to_owned())
        .chain(lines)
        .collect()
}

fn json_line(row: &Finished<'_>, top: usize) -> String {
    let file = quoted(row.path);
    match &row.result {
        Ok(answer) => {
            let times = answer.timings.unwrap_or_default();
            let predictions: Vec<_> = answer
                .predictions
                .iter()
                .take(top)
                .map(prediction)
                .collect();
            format!(
                "{{\"file\":{file},\"label\":{},\"confidence\":{:?},\"predictions\":[{}],\"model\":{},\"model_revision\":{},\
                 \"request_id\":{},\"decode_ms\":{:?},\"queue_ms\":{:?},\"inference_ms\":{:?}{}{}}}\n",
                quoted(&answer.label),
                answer.confidence,
                predictions.join(","),
                quoted(&answer.model),
                quoted(&answer.model_revision),
                quoted(&answer.request_id),
                times.decode_ms,
                times.queue_ms,
                times.inference_ms,
                answer.crop.as_ref().map(crop).unwrap_or_default(),
                known(answer),
            )
        }
        Err(error) => {
            let (error, reason) = error_and_reason(*error);
            let reason = reason.map_or("null".to_owned(), quoted);
            format!(
                "{{\"file\":{file},\"error\":{},\"reason\":{reason}}}\n",
                quoted(&error)
            )
        }
    }
}

fn prediction(prediction: &Prediction) -> String {
    format!(
        "{{\"label\":{},\"confidence\":{:?},\"index\":{}}}",
        quoted(&prediction.label),
        prediction.confidence,
        prediction.index
    )
}

/// The square that the network saw, after the other members.
fn crop(crop: &Crop) -> String {
    format!(
        ",\"crop\":{{\"left\":{},\"top\":{},\"side\":{},\"picture_width\":{},\"picture_height\":{}}}",
        crop.left, crop.top, crop.side, crop.picture_width, crop.picture_height
    )
}

/// Nothing if the model cannot tell.
fn known(answer: &Answer) -> String {
    answer.known_score.map_or_else(String::new, |score| {
        format!(",\"unknown\":{},\"known_score\":{score:?}", answer.unknown)
    })
}

fn csv_line(row: &Finished<'_>) -> String {
    let file = cell(row.path);
    match &row.result {
        Ok(answer) => {
            let times = answer.timings.unwrap_or_default();
            let index = answer
                .predictions
                .first()
                .map(|best| best.index.to_string());
            let (unknown, known_score) = answer
                .known_score
                .map(|score| (answer.unknown.to_string(), format!("{score:?}")))
                .unwrap_or_default();
            format!(
                "{file},{},{:?},{},{},{},{},{:?},{:?},{:?},,,{unknown},{known_score}\n",
                cell(&answer.label),
                answer.confidence,
                index.unwrap_or_default(),
                cell(&answer.model),
                cell(&answer.model_revision),
                cell(&answer.request_id),
                times.decode_ms,
                times.queue_ms,
                times.inference_ms,
            )
        }
        Err(error) => {
            let (error, reason) = error_and_reason(*error);
            format!(
                "{file},,,,,,,,,,{},{},,\n",
                cell(&error),
                reason.unwrap_or_default()
            )
        }
    }
}

fn error_and_reason(error: Option<&RequestError>) -> (String, Option<&'static str>) {
    match error {
        Some(error) => (error.message(), error.reason()),
        None => (CANCELLED.to_owned(), None),
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A cell, in quotation marks where it needs them.
fn cell(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use imageclassifier_client::Timings;

    use super::*;
    use crate::failure::Failure;

    fn answer() -> Answer {
        let best = Prediction {
            label: "crane, \"bird\"".to_owned(),
            confidence: 0.25,
            index: 134,
            ..Prediction::default()
        };
        Answer {
            label: best.label.clone(),
            confidence: best.confidence,
            predictions: vec![best, Prediction::default()],
            model: "m".to_owned(),
            model_revision: "r".to_owned(),
            request_id: "id".to_owned(),
            timings: Some(Timings {
                decode_ms: 1.5,
                queue_ms: 0.0,
                inference_ms: 1e-7,
            }),
            crop: Some(Crop {
                left: 1,
                top: 2,
                side: 3,
                picture_width: 5,
                picture_height: 7,
            }),
            ..Answer::default()
        }
    }

    #[test]
    fn each_image_is_a_line_in_the_command_lines_form() {
        let (answer, empty) = (
            answer(),
            Failure::Empty {
                name: "b".to_owned(),
            }
            .into(),
        );
        let rows = [
            Finished {
                path: "a\n\"\u{1}.jpg",
                result: Ok(&answer),
            },
            Finished {
                path: "b",
                result: Err(Some(&empty)),
            },
            Finished {
                path: "c",
                result: Err(None),
            },
        ];
        assert_eq!(
            json(&rows, 1),
            "{\"file\":\"a\\n\\\"\\u0001.jpg\",\"label\":\"crane, \\\"bird\\\"\",\"confidence\":0.25,\"predictions\":[{\"label\":\
             \"crane, \\\"bird\\\"\",\"confidence\":0.25,\"index\":134}],\"model\":\"m\",\"model_revision\":\"r\",\
             \"request_id\":\"id\",\"decode_ms\":1.5,\"queue_ms\":0.0,\"inference_ms\":1e-7,\
             \"crop\":{\"left\":1,\"top\":2,\"side\":3,\"picture_width\":5,\"picture_height\":7}}\n\
             {\"file\":\"b\",\"error\":\"b is empty. Choose another image.\",\"reason\":\"IMAGE_EMPTY\"}\n\
             {\"file\":\"c\",\"error\":\"cancelled\",\"reason\":null}\n"
        );
        assert_eq!(
            csv(&rows),
            "file,label,confidence,index,model,model_revision,request_id,decode_ms,queue_ms,inference_ms,error,reason,unknown,known_score\n\
             \"a\n\"\"\u{1}.jpg\",\"crane, \"\"bird\"\"\",0.25,134,m,r,id,1.5,0.0,1e-7,,,,\n\
             b,,,,,,,,,,b is empty. Choose another image.,IMAGE_EMPTY,,\n\
             c,,,,,,,,,,cancelled,,,\n"
        );
    }

    #[test]
    fn a_models_doubt_stands_in_both_forms() {
        let answer = Answer {
            crop: None,
            unknown: true,
            known_score: Some(0.5),
            ..answer()
        };
        let rows = [Finished {
            path: "a",
            result: Ok(&answer),
        }];
        let json = json(&rows, 1);
        let end = ",\"inference_ms\":1e-7,\"unknown\":true,\"known_score\":0.5}\n";
        assert!(json.ends_with(end), "{json}");
        let csv = csv(&rows);
        assert!(csv.ends_with(",1e-7,,,true,0.5\n"), "{csv}");
    }
}
