//! Classification results as JSON: the command line prints them, and plain HTTP responds with them.

use serde::Serialize;

use crate::ClassifyImageResponse;

/// The result for one image, with the fields of `Answer` in `openapi.json`.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    label: &'a str,
    confidence: f32,
    predictions: Vec<Prediction<'a>>,
    model: &'a str,
    model_revision: &'a str,
    request_id: &'a str,
    decode_ms: f32,
    queue_ms: f32,
    inference_ms: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    crop: Option<Crop>,
    /// Present if the model can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_score: Option<f32>,
    /// Present if the request asked for it.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    embedding: &'a [f32],
}

#[derive(Debug, Serialize)]
struct Prediction<'a> {
    label: &'a str,
    confidence: f32,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    heatmap: Option<Heatmap<'a>>,
}

#[derive(Debug, Serialize)]
struct Heatmap<'a> {
    height: u32,
    width: u32,
    values: &'a [f32],
}

#[derive(Debug, Serialize)]
struct Crop {
    left: u32,
    top: u32,
    side: u32,
    picture_width: u32,
    picture_height: u32,
}

impl<'a> From<&'a ClassifyImageResponse> for Answer<'a> {
    fn from(response: &'a ClassifyImageResponse) -> Self {
        let timings = response.timings.unwrap_or_default();
        Self {
            label: &response.label,
            confidence: response.confidence,
            predictions: response.predictions.iter().map(Prediction::from).collect(),
            model: &response.model,
            model_revision: &response.model_revision,
            request_id: &response.request_id,
            decode_ms: timings.decode_ms,
            queue_ms: timings.queue_ms,
            inference_ms: timings.inference_ms,
            crop: response.crop.map(Crop::from),
            unknown: response.known_score.map(|_| response.unknown),
            known_score: response.known_score,
            embedding: &response.embedding,
        }
    }
}

impl<'a> From<&'a crate::Prediction> for Prediction<'a> {
    fn from(prediction: &'a crate::Prediction) -> Self {
        Self {
            label: &prediction.label,
            confidence: prediction.confidence,
            index: prediction.index,
            heatmap: prediction.heatmap.as_ref().map(|heatmap| Heatmap {
                height: heatmap.height,
                width: heatmap.width,
                values: &heatmap.values,
            }),
        }
    }
}

impl From<crate::Crop> for Crop {
    fn from(crop: crate::Crop) -> Self {
        Self {
            left: crop.left,
            top: crop.top,
            side: crop.side,
            picture_width: crop.picture_width,
            picture_height: crop.picture_height,
        }
    }
}
