//! One request: images are prepared, sent and answered.

use imageclassifier_client::{
    Answer, CallError, Classifier, ClassifyOptions, ErrorKind, ErrorReason, UploadWatch,
};
use leptos::prelude::*;
use web_sys::Blob;

use crate::{
    failure::Failure,
    image::{
        picked::{Accepted, Picked},
        read,
        shrink::Shrinking,
    },
    session::{request_error::RequestError, server::Limits, step::Step},
};

/// What all requests of the page have in common.
pub(crate) struct RequestConfig {
    pub(crate) classifier: Classifier,
    pub(crate) options: ClassifyOptions,
    /// Whether the server supports heatmaps; true until it reports otherwise.
    pub(crate) explains: StoredValue<bool>,
    pub(crate) limits: Limits,
    pub(crate) shrinking: Shrinking,
}

/// An image without a result yet, and where to report its progress.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) picked: Picked,
    pub(crate) step: RwSignal<Step>,
}

/// The result and the milliseconds from the file to it, or the error.
pub(crate) type Outcome = Result<(Answer, f64), RequestError>;

/// Classifies images in one request; the outcomes are in their order. Images in a format that the server cannot read are
/// drawn by the browser and sent in a second request.
pub(crate) async fn classify(config: &RequestConfig, pending: &[Pending]) -> Vec<Outcome> {
    let began_ms = now_ms();
    let mut prepared = Vec::new();
    for image in pending {
        image.step.set(Step::Preparing);
        prepared.push(config.prepare(&image.picked, config.shrinking).await);
    }
    let mut outcomes = exchange(config, pending, prepared).await;
    redraw_unknown_formats(config, pending, &mut outcomes).await;
    let took_ms = now_ms() - began_ms;
    outcomes
        .into_iter()
        .map(|outcome| outcome.map(|answer| (answer, took_ms)))
        .collect()
}

/// Has the server keep an image, as it would be sent to be classified, with its correct class.
pub(crate) async fn correct(
    config: &RequestConfig,
    picked: &Picked,
    label: &str,
) -> Result<(), RequestError> {
    // Its answer may have needed a smaller copy, or one that the browser drew.
    let image = match config.prepare(picked, config.shrinking).await {
        Err(Failure::TooLarge { .. }) => config.prepare(picked, Shrinking::Large).await?,
        prepared => prepared?,
    };
    match send_correction(config, picked, &image, label).await {
        Err(error) if error.is_unknown_format() => match picked.redrawn().await {
            Some(jpeg) => send_correction(config, picked, &jpeg, label).await,
            None => Err(error),
        },
        sent => sent,
    }
}

async fn send_correction(
    config: &RequestConfig,
    picked: &Picked,
    image: &Blob,
    label: &str,
) -> Result<(), RequestError> {
    let bytes = read::whole(image).await;
    let bytes = bytes.map_err(|_| Failure::Unreadable {
        name: picked.name(),
    })?;
    let sent = config.classifier.feedback(bytes.into(), label).await;
    let has_token = config.classifier.has_token();
    sent.map_err(|error| RequestError::of_call(&picked.name(), error, has_token))
}

impl RequestConfig {
    async fn prepare(&self, picked: &Picked, shrinking: Shrinking) -> Result<Blob, Failure> {
        let accepted = Accepted {
            image_bytes_max: self.limits.image_bytes_max,
            media_types: &self.limits.media_types,
        };
        picked.prepare(accepted, shrinking).await
    }
}

async fn redraw_unknown_formats(
    config: &RequestConfig,
    pending: &[Pending],
    outcomes: &mut [Result<Answer, RequestError>],
) {
    let (mut places, mut images, mut drawn) = (Vec::new(), Vec::new(), Vec::new());
    for (place, image) in pending.iter().enumerate() {
        let outcome = outcomes[place].as_ref();
        if outcome.is_err_and(RequestError::is_unknown_format)
            && let Some(jpeg) = image.picked.redrawn().await
        {
            places.push(place);
            images.push(image.clone());
            drawn.push(Ok(jpeg));
        }
    }
    let second = exchange(config, &images, drawn).await;
    for (place, outcome) in places.into_iter().zip(second) {
        outcomes[place] = outcome;
    }
}

/// Sends the prepared images without those that turn out to be unreadable. One outcome for each of `pending`.
async fn exchange(
    config: &RequestConfig,
    pending: &[Pending],
    mut prepared: Vec<Result<Blob, Failure>>,
) -> Vec<Result<Answer, RequestError>> {
    let mut answers = loop {
        let images: Vec<_> = prepared.iter().flatten().cloned().collect();
        let answers = send_with_progress(config, &images, pending).await;
        let is_lost = answers.iter().all(is_lost);
        if !is_lost || !leave_out_unreadable(pending, &mut prepared).await {
            break answers.into_iter();
        }
    };
    let has_token = config.classifier.has_token();
    let prepared = pending.iter().zip(prepared);
    prepared
        .map(|(image, prepared)| {
            prepared?;
            let answer = answers.next().expect("each image sent has an outcome");
            answer.map_err(|error| RequestError::of_call(&image.picked.name(), error, has_token))
        })
        .collect()
}

/// Whether the browser received no response. It does not report whether an unreadable file was the cause.
fn is_lost(outcome: &Result<Answer, CallError>) -> bool {
    outcome.as_ref().is_err_and(|error| {
        error.kind() == ErrorKind::Unavailable && error.reason() == ErrorReason::Unspecified
    })
}

/// Marks the files that can no longer be read as failed, and returns whether there were any. Files may change or disappear
/// after they were picked.
async fn leave_out_unreadable(pending: &[Pending], prepared: &mut [Result<Blob, Failure>]) -> bool {
    let mut found = false;
    for (image, prepared) in pending.iter().zip(prepared) {
        if let Ok(file) = prepared
            && read::head(file, 1).await.is_err()
        {
            let name = image.picked.name();
            *prepared = Err(Failure::Unreadable { name });
            found = true;
        }
    }
    found
}

/// Sends images and reports the progress. If the server does not support heatmaps, sends the images again without them.
async fn send_with_progress(
    config: &RequestConfig,
    images: &[Blob],
    pending: &[Pending],
) -> Vec<Result<Answer, CallError>> {
    if images.is_empty() {
        return Vec::new();
    }
    let steps: Vec<_> = pending.iter().map(|image| image.step).collect();
    let report = move |step| steps.iter().for_each(|each| each.set(step));
    report(Step::Sending(0.0));
    let watch = UploadWatch::new(move |sent| {
        report(if sent < 1.0 {
            Step::Sending(sent)
        } else {
            Step::Awaiting
        });
    });
    let attempt = |explain| {
        let options = ClassifyOptions {
            explain,
            ..config.options.clone()
        };
        send(&config.classifier, images, options, watch.clone())
    };
    let outcomes = attempt(config.explains.get_value()).await;
    let explains = |outcome: &Result<_, CallError>| !matches!(outcome, Err(error) if error.reason() == ErrorReason::ExplainUnsupported);
    if outcomes.iter().all(explains) {
        return outcomes;
    }
    config.explains.set_value(false);
    attempt(false).await
}

#[cfg(target_arch = "wasm32")]
async fn send(
    classifier: &Classifier,
    images: &[Blob],
    options: ClassifyOptions,
    watch: UploadWatch,
) -> Vec<Result<Answer, CallError>> {
    classifier.classify_blobs(images, &options, watch).await
}

/// The page's unit tests run natively, where there are no blobs to send.
#[cfg(not(target_arch = "wasm32"))]
async fn send(
    _: &Classifier,
    _: &[Blob],
    _: ClassifyOptions,
    _: UploadWatch,
) -> Vec<Result<Answer, CallError>> {
    unreachable!("only a browser has blobs")
}

pub(crate) fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}
