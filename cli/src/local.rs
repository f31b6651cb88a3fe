pub(crate) mod network;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use imageclassifier_client::{
    Answer, CallError, ClassifyOptions, Crop, ErrorKind, ErrorReason, Heatmap, Prediction, Timings,
};
use imageclassifier_model::{
    self as model, Classifier, ImportedModel, ModelFolder, Precision, Weights,
};

use network::{IMAGE_BYTES_MAX, Inferred, LocalNetwork, failed, load_imported, load_weights};

/// A model in this process.
pub(crate) struct Local {
    network: LocalNetwork,
    classifier: Classifier,
}

impl Local {
    /// Loads the network in the file `weights`, or without a file the one in this program, and the model `name`: a folder that
    /// `train` or `import` wrote, or the network's own classes if the name is empty or the network's.
    ///
    /// # Errors
    /// If the file or folder cannot be used, or the name is neither.
    pub(crate) fn load(weights: Option<&Path>, name: &str) -> Result<Self, String> {
        let path = Path::new(name);
        if !name.is_empty() && ImportedModel::is_at(path) {
            let model = ImportedModel::read(path).map_err(|error| error.to_string())?;
            let network = load_imported(&model)?;
            return Ok(Self {
                network: LocalNetwork::imported(&network),
                classifier: Classifier::imported(&model, network),
            });
        }
        let weights = load_weights(weights)?;
        Ok(Self {
            network: LocalNetwork::built_in(&weights)?,
            classifier: load_classifier(&weights, name)?,
        })
    }

    pub(crate) fn image_bytes_max(&self) -> u64 {
        IMAGE_BYTES_MAX
    }

    /// Classifies as many images at once as there are cores.
    pub(crate) fn classify<K>(
        self: Arc<Self>,
        images: impl Stream<Item = (K, Bytes)>,
        options: ClassifyOptions,
    ) -> impl Stream<Item = (K, Result<Answer, CallError>)> {
        let threads = self.network.threads();
        let answers = images.map(move |(key, image)| {
            let (local, options) = (Arc::clone(&self), options.clone());
            let taken_at = Instant::now();
            async move {
                let work = move || local.answer(&image, &options, taken_at);
                let answer = tokio::task::spawn_blocking(work).await;
                (key, answer.expect("classifying does not panic"))
            }
        });
        answers.buffer_unordered(threads)
    }

    fn answer(
        &self,
        image: &Bytes,
        options: &ClassifyOptions,
        taken_at: Instant,
    ) -> Result<Answer, CallError> {
        let queue = taken_at.elapsed();
        if options.explain && !self.classifier.is_explainable() {
            return Err(CallError::new(
                ErrorKind::Unsupported,
                ErrorReason::ExplainUnsupported,
                "the model has no heatmaps, because its network does not end with global average pooling and a linear layer".to_owned(),
            ));
        }
        let inferred = self.network.infer(image, options.explain)?;
        let classifier = &self.classifier;
        let logits = classifier.logits(&inferred.inference).map_err(failed)?;
        let top_k = usize::try_from(options.top_k).unwrap_or(usize::MAX);
        let ranking = classifier.rank(&logits, top_k);
        let predictions: Vec<_> = ranking
            .classes()
            .iter()
            .map(|class| Prediction {
                label: classifier.labels()[class.index].clone(),
                confidence: class.probability,
                index: u32::try_from(class.index).expect("there are few classes"),
                heatmap: classifier
                    .heatmap(&inferred.inference, class.index)
                    .map(heatmap),
            })
            .collect();
        let known = classifier.known(&inferred.inference);
        let first = predictions.first().cloned().unwrap_or_default();
        Ok(Answer {
            label: first.label,
            confidence: first.confidence,
            predictions,
            model: classifier.name().to_owned(),
            model_revision: classifier.revision().to_owned(),
            timings: Some(timings(&inferred, queue)),
            request_id: String::new(),
            crop: inferred.crop.map(crop),
            unknown: known.is_some_and(|known| known.unknown),
            known_score: known.map(|known| known.score),
            embedding: Vec::new(),
        })
    }
}

fn load_classifier(weights: &Weights, name: &str) -> Result<Classifier, String> {
    let built_in = Classifier::built_in(weights, Precision::F32);
    if name.is_empty() || name == built_in.name() {
        return Ok(built_in);
    }
    let path = Path::new(name);
    if !path.is_dir() {
        return Err(format!(
            "there is no model {name:?} here: omit --model, use {:?}, or give the folder of a model that `imageclassifier train` or `import` wrote",
            built_in.name()
        ));
    }
    let folder = ModelFolder::read(path).map_err(|error| error.to_string())?;
    Classifier::trained(&folder, weights, Precision::F32).ok_or_else(|| {
        format!(
            "{name} was trained on {} with the weights {}: give their file with --weights",
            folder.base().name(),
            folder.base_digest()
        )
    })
}

fn timings(inferred: &Inferred, queue: Duration) -> Timings {
    Timings {
        decode_ms: milliseconds(inferred.decode),
        queue_ms: milliseconds(queue),
        inference_ms: milliseconds(inferred.network),
    }
}

pub(crate) fn heatmap(heatmap: model::Heatmap) -> Heatmap {
    let pixels = |count| u32::try_from(count).expect("maps are small");
    Heatmap {
        height: pixels(heatmap.height),
        width: pixels(heatmap.width),
        values: heatmap.values,
    }
}

fn crop(crop: model::Crop) -> Crop {
    Crop {
        left: crop.square.left,
        top: crop.square.top,
        side: crop.square.side,
        picture_width: crop.image_width,
        picture_height: crop.image_height,
    }
}

fn milliseconds(duration: Duration) -> f32 {
    duration.as_secs_f32() * 1000.0
}
