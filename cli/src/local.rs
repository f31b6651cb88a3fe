use std::{
    env, iter,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use imageclassifier_client::{
    Answer, CallError, ClassifyOptions, Crop, ErrorKind, ErrorReason, Heatmap, Prediction, Timings,
};
use imageclassifier_model as model;
use imageclassifier_model::{
    Compute, DecodedImage, EncodedImage, Explainer, Input, InvalidImage, Logits, Network,
    NetworkError, Precision, Ranking, Runner, ThreadTeam, Weights, labels,
};

/// The default limits of a server, so that the results are the same.
const IMAGE_BYTES_MAX: u64 = 10 << 20;
const PIXELS_MAX: u64 = 25_000_000;

/// Names the weights file where `--weights` is not given.
const WEIGHTS_VARIABLE: &str = "IMAGECLASSIFIER_WEIGHTS";

/// The model in this process, with a network for each core.
pub(crate) struct Local {
    weights: Weights,
    explainer: Explainer,
    threads: usize,
    /// Runners that are free.
    runners: Mutex<Vec<Runner>>,
}

impl Local {
    /// Loads the model in the file `weights`, or without a file the one in this program. Fails if `name` is not empty and names
    /// another model.
    pub(crate) fn load(weights: Option<&Path>, name: &str) -> Result<Self, String> {
        let weights = load_weights(weights)?;
        let known = weights.variant().name();
        if !name.is_empty() && name != known {
            return Err(format!(
                "there is no model {name:?} here: omit --model, ask for {known:?}, or give the file of another model with --weights"
            ));
        }
        let network = Network::load(&weights, Compute::fastest())
            .map_err(|error| format!("cannot load the model: {error}"))?;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            explainer: Explainer::new(&weights),
            weights,
            threads,
            runners: Mutex::new(
                iter::repeat_with(|| network.runner())
                    .take(threads)
                    .collect(),
            ),
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
        let threads = self.threads;
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
        let begun_at = Instant::now();
        let image = EncodedImage::new(image, IMAGE_BYTES_MAX).map_err(rejected)?;
        let input_size = self.weights.variant().input_size();
        let decoded = DecodedImage::decode(&image, PIXELS_MAX, input_size).map_err(rejected)?;
        let input = Input::prepare(&decoded);
        let decoded_at = Instant::now();

        let (logits, features) = self.run(input, options.explain).map_err(failed)?;
        let inferred_at = Instant::now();

        let top_k = usize::try_from(options.top_k).unwrap_or(usize::MAX);
        let ranking = Ranking::of(&logits, top_k);
        let predictions: Vec<_> = ranking
            .classes()
            .iter()
            .map(|class| Prediction {
                label: labels()[class.index].to_owned(),
                confidence: class.probability,
                index: u32::try_from(class.index).expect("there are 1000 classes"),
                heatmap: features
                    .as_ref()
                    .map(|features| heatmap(self.explainer.heatmap(features, class.index))),
            })
            .collect();
        let first = predictions.first().cloned().unwrap_or_default();
        Ok(Answer {
            label: first.label,
            confidence: first.confidence,
            predictions,
            model: self.weights.variant().name().to_owned(),
            model_revision: self.weights.revision(Precision::F32),
            timings: Some(Timings {
                decode_ms: milliseconds(decoded_at - begun_at),
                queue_ms: milliseconds(begun_at - taken_at),
                inference_ms: milliseconds(inferred_at - decoded_at),
            }),
            request_id: String::new(),
            crop: Some(crop(decoded.crop())),
        })
    }

    fn run(
        &self,
        input: Input,
        explain: bool,
    ) -> Result<(Logits, Option<model::FeatureMap>), NetworkError> {
        let runners = || self.runners.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = runners().pop();
        let mut runner = taken.expect("there is a runner for each image in progress");
        let team = &mut ThreadTeam::solo();
        let outcome = if explain {
            let explained = runner.run_explained(input, team);
            explained.map(|(logits, features)| (logits, Some(features)))
        } else {
            runner.run(input, team).map(|logits| (logits, None))
        };
        runners().push(runner);
        outcome
    }
}

/// The flag overrides the variable. The variable alone does not require `--local`, which clap cannot express.
fn load_weights(file: Option<&Path>) -> Result<Weights, String> {
    let variable = || env::var_os(WEIGHTS_VARIABLE).filter(|file| !file.is_empty());
    let file = file
        .map(Path::to_owned)
        .or_else(|| variable().map(PathBuf::from));
    match file {
        None => Ok(Weights::lite0()),
        Some(file) => Weights::read(&file).map_err(|error| format!("{error}: {}", error.source)),
    }
}

fn rejected(error: InvalidImage) -> CallError {
    let reason = match error {
        InvalidImage::Empty => ErrorReason::ImageEmpty,
        InvalidImage::TooLarge { .. } => ErrorReason::ImageTooLarge,
        InvalidImage::UnknownFormat | InvalidImage::ForeignFormat(_) => {
            ErrorReason::ImageFormatUnknown
        }
        InvalidImage::Dimensions { .. } => ErrorReason::ImageDimensions,
        InvalidImage::Truncated { .. } | InvalidImage::Undecodable(_) | InvalidImage::Jpeg(_) => {
            ErrorReason::ImageUndecodable
        }
    };
    CallError::new(ErrorKind::InvalidInput, reason, error.to_string())
}

fn failed(error: NetworkError) -> CallError {
    CallError::new(
        ErrorKind::Internal,
        ErrorReason::InternalError,
        error.to_string(),
    )
}

fn heatmap(heatmap: model::Heatmap) -> Heatmap {
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
