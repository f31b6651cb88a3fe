use js_sys::{Array, Uint8Array};
use send_wrapper::SendWrapper;
use tonic::{Request, Status};
use wasm_bindgen::JsValue;
use web_sys::Blob;

use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest,
    classify_batch_response::Outcome,
};

use super::pieces::{Piece, Pieces};
use crate::{
    Answer, CallError, Classifier, ClassifyOptions, ErrorKind, ErrorReason, UploadWatch,
    transport::FramedBlob,
};

impl Classifier {
    /// Classifies encoded images that the browser holds, in one request, and reports how much of them has been sent. Their
    /// bytes go from the files to the server without passing through the page's memory.
    ///
    /// Each image gets the result of [`classify`](Self::classify), in the order of `images`. If the request fails as a whole,
    /// every image without a result gets that error.
    pub async fn classify_blobs(
        &self,
        images: &[Blob],
        options: &ClassifyOptions,
        watch: UploadWatch,
    ) -> Vec<Result<Answer, CallError>> {
        match images {
            [image] => vec![self.classify_blob(image, options, watch).await],
            _ => self.classify_batch(images, options, watch).await,
        }
    }

    async fn classify_blob(
        &self,
        image: &Blob,
        options: &ClassifyOptions,
        watch: UploadWatch,
    ) -> Result<Answer, CallError> {
        let message = message(options, image);
        let request = self.request_with(ClassifyImageRequest::default(), message, watch)?;
        Ok(self.rpc.clone().classify(request).await?.into_inner())
    }

    async fn classify_batch(
        &self,
        images: &[Blob],
        options: &ClassifyOptions,
        watch: UploadWatch,
    ) -> Vec<Result<Answer, CallError>> {
        let mut outcomes = vec![None; images.len()];
        let requests = images.iter().map(|image| message(options, image));
        let message = Pieces::batch(requests);
        let end = self.batch_outcomes(message, watch, &mut outcomes).await;
        let missing = end.err().unwrap_or_else(unanswered);
        let outcomes = outcomes.into_iter();
        outcomes
            .map(|outcome| outcome.unwrap_or_else(|| Err(missing.clone())))
            .collect()
    }

    async fn batch_outcomes(
        &self,
        message: Pieces<&Blob>,
        watch: UploadWatch,
        outcomes: &mut [Option<Result<Answer, CallError>>],
    ) -> Result<(), CallError> {
        let request = self.request_with(ClassifyBatchRequest::default(), message, watch)?;
        let mut answers = self.rpc.clone().classify_batch(request).await?.into_inner();
        while let Some(ClassifyBatchResponse { index, outcome, .. }) = answers.message().await? {
            let place = usize::try_from(index)
                .ok()
                .and_then(|index| outcomes.get_mut(index));
            if let (Some(place), Some(outcome)) = (place, outcome) {
                *place = Some(match outcome {
                    Outcome::Response(answer) => Ok(answer),
                    Outcome::Error(status) => Err(status.into()),
                });
            }
        }
        Ok(())
    }

    /// A request that sends `message` in place of `stand_in`, which tonic encodes.
    fn request_with<T>(
        &self,
        stand_in: T,
        message: Pieces<&Blob>,
        watch: UploadWatch,
    ) -> Result<Request<T>, CallError> {
        let mut request = self.request_with_timeout(stand_in);
        request.extensions_mut().insert(framed(message)?);
        request.extensions_mut().insert(watch);
        Ok(request)
    }
}

fn framed(message: Pieces<&Blob>) -> Result<FramedBlob, CallError> {
    let parts = Array::new();
    for piece in message.framed().map_err(|_| too_long())? {
        let part: JsValue = match piece {
            Piece::Bytes(bytes) => Uint8Array::from(&*bytes).into(),
            Piece::Image(image) => image.into(),
        };
        parts.push(&part);
    }
    let blob = Blob::new_with_blob_sequence(&parts).expect("bytes and blobs make a blob");
    Ok(FramedBlob(SendWrapper::new(blob)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size is whole and not negative"
)]
fn message<'a>(options: &ClassifyOptions, image: &'a Blob) -> Pieces<&'a Blob> {
    Pieces::request(options.clone(), image, image.size() as u64)
}

/// The message is longer than gRPC allows.
fn too_long() -> CallError {
    let message = "cannot send more than 4 GiB in one request: send fewer images".to_owned();
    CallError::new(ErrorKind::InvalidInput, ErrorReason::Unspecified, message)
}

/// The server ended a batch without a result for an image.
fn unanswered() -> CallError {
    Status::internal("the server sent no result for this image: try again").into()
}
