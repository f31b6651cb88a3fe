//! Converts between the wire's messages and the model's types.

use std::{iter, time::Duration};

use imageclassifier_model::{
    Classifier, Crop, Framing, Heatmap, MEDIA_TYPES, Preprocessing, Ranked,
};
use imageclassifier_proto as proto;

use crate::engine::{
    Engine,
    job::Classification,
    models::{State, Table, Version},
};

/// The answer with the image's features if `embed` is set.
pub(crate) fn answer(
    classification: &Classification,
    request_id: &str,
    embed: bool,
) -> proto::ClassifyImageResponse {
    let classifier = &classification.classifier;
    let heatmaps = classification.heatmaps.as_deref().unwrap_or_default();
    let heatmaps = heatmaps.iter().map(|map| Some(heatmap(map)));
    let classes = classification.ranking.classes().iter();
    let predictions: Vec<_> = classes
        .zip(heatmaps.chain(iter::repeat(None)))
        .map(|(class, heatmap)| prediction(class, classifier.labels(), heatmap))
        .collect();
    let (label, confidence) = predictions.first().map_or_else(Default::default, |first| {
        (first.label.clone(), first.confidence)
    });
    proto::ClassifyImageResponse {
        label,
        confidence,
        predictions,
        model: classifier.name().to_owned(),
        model_revision: classifier.revision().to_owned(),
        timings: Some(timings(classification)),
        request_id: request_id.to_owned(),
        crop: classification.crop.map(crop),
        unknown: classification.known.is_some_and(|known| known.unknown),
        known_score: classification.known.map(|known| known.score),
        embedding: if embed {
            classification.embedding.values().to_vec()
        } else {
            Vec::new()
        },
    }
}

/// The features of an image that the model `network` has classified with classes of its own.
pub(crate) fn embedding(
    classification: &Classification,
    network: &Classifier,
    request_id: &str,
) -> proto::EmbedResponse {
    proto::EmbedResponse {
        embedding: classification.embedding.values().to_vec(),
        model_revision: network.revision().to_owned(),
        timings: Some(timings(classification)),
        request_id: request_id.to_owned(),
        crop: classification.crop.map(crop),
    }
}

fn timings(classification: &Classification) -> proto::Timings {
    proto::Timings {
        decode_ms: milliseconds(classification.decode),
        queue_ms: milliseconds(classification.queue),
        inference_ms: milliseconds(classification.inference),
    }
}

fn crop(crop: Crop) -> proto::Crop {
    proto::Crop {
        left: crop.square.left,
        top: crop.square.top,
        side: crop.square.side,
        picture_width: crop.image_width,
        picture_height: crop.image_height,
    }
}

fn heatmap(heatmap: &Heatmap) -> proto::Heatmap {
    let pixels = |count| u32::try_from(count).expect("maps are small");
    proto::Heatmap {
        height: pixels(heatmap.height),
        width: pixels(heatmap.width),
        values: heatmap.values.clone(),
    }
}

fn prediction(
    class: &Ranked,
    labels: &[String],
    heatmap: Option<proto::Heatmap>,
) -> proto::Prediction {
    proto::Prediction {
        label: labels[class.index].clone(),
        confidence: class.probability,
        index: u32::try_from(class.index).expect("there are few classes"),
        heatmap,
    }
}

/// Every version of every model.
pub(crate) fn models(engine: &Engine) -> proto::ListModelsResponse {
    let (table, base) = (engine.models().table(), engine.built_in().name());
    let summary = |(name, version): (&str, &Version)| summary(engine, &table, base, name, version);
    proto::ListModelsResponse {
        models: table.all().map(summary).collect(),
        accepts_feedback: engine.accepts_feedback(),
    }
}

fn summary(
    engine: &Engine,
    table: &Table,
    base: &str,
    name: &str,
    version: &Version,
) -> proto::ModelSummary {
    let is = |other: Option<&Version>| other.is_some_and(|other| std::ptr::eq(other, version));
    let mut summary = proto::ModelSummary {
        name: name.to_owned(),
        version: version.number,
        is_default: is(table.resolve(table.default())),
        is_current: is(table.current(name)),
        base: base.to_owned(),
        error: version.problem().unwrap_or_default().to_owned(),
        ..Default::default()
    };
    summary.set_state(match &version.state {
        State::Serving { .. } => proto::ModelState::Serving,
        State::Broken(_) => proto::ModelState::Broken,
        State::Unloaded => proto::ModelState::Unloaded,
    });
    if let State::Serving {
        classifier,
        training,
        ..
    } = &version.state
    {
        classifier.revision().clone_into(&mut summary.revision);
        classifier.digest().clone_into(&mut summary.digest);
        if classifier.network().is_some() {
            name.clone_into(&mut summary.base);
        }
        summary.input_size = engine.input_size(classifier);
        summary.kernel_share = kernel_share(classifier);
        training.clone_into(&mut summary.training);
        let classes = classifier.labels().len();
        summary.classes = u32::try_from(classes).expect("there are few classes");
    }
    summary
}

/// The built-in network consists of kernels, unless it was started without.
fn kernel_share(classifier: &Classifier) -> f32 {
    let share = classifier.network().map(|network| network.kernel_share());
    #[allow(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    let share = share.unwrap_or(1.0) as f32;
    share
}

fn preprocessing(preprocessing: &Preprocessing) -> proto::Preprocessing {
    let Preprocessing { mean, scale, .. } = preprocessing;
    let same = |values: &[f32; 3]| values.iter().all(|value| *value == values[0]);
    let uniform = same(mean) && same(scale);
    proto::Preprocessing {
        version: preprocessing.version.clone(),
        #[allow(clippy::cast_possible_truncation, reason = "between 0 and 1")]
        crop_fraction: match preprocessing.framing {
            Framing::CropThenResize(fraction) | Framing::ResizeThenCrop(fraction) => {
                fraction as f32
            }
            Framing::Squash => 1.0,
        },
        filter: preprocessing.filter.name().to_owned(),
        mean: if uniform { mean[0] } else { 0.0 },
        scale: if uniform { scale[0] } else { 0.0 },
        channel_means: mean.to_vec(),
        channel_scales: scale.to_vec(),
        channels: preprocessing.order.name().to_owned(),
        squash: preprocessing.framing == Framing::Squash,
        resized_side: preprocessing.resized_side().unwrap_or_default(),
    }
}

pub(crate) fn model(classifier: &Classifier, engine: &Engine) -> proto::GetModelResponse {
    let (preprocessing, limits) = (engine.preprocessing(classifier), engine.limits());
    proto::GetModelResponse {
        name: classifier.name().to_owned(),
        revision: classifier.revision().to_owned(),
        weights_digest: classifier.digest().to_owned(),
        labels: classifier.labels().to_vec(),
        input_size: engine.input_size(classifier),
        preprocessing: Some(self::preprocessing(&preprocessing)),
        limits: Some(proto::Limits {
            image_bytes_max: limits.image_bytes_max,
            pixels_max: limits.pixels_max,
            media_types: MEDIA_TYPES.map(str::to_owned).to_vec(),
            batch_images_max: limits.batch_images_max,
            message_bytes_max: limits.message_bytes_max,
        }),
    }
}

fn milliseconds(duration: Duration) -> f32 {
    duration.as_secs_f32() * 1000.0
}
