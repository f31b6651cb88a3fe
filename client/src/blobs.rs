use js_sys::{Array, Uint8Array};
use send_wrapper::SendWrapper;
use tonic::Request;
use wasm_bindgen::JsValue;
use web_sys::Blob;

use imageclassifier_proto::{
    ClassifyBatchRequest, ClassifyBatchResponse, ClassifyImageRequest,
    classify_batch_response::Outcome,
};

use crate::{
    Answer, CallError, Classifier, ClassifyOptions, UploadWatch,
    pieces::{Piece, Pieces},
};

/// A message that the browser puts together out of files. It is sent in the place of the one that tonic encodes.
#[derive(Clone)]
pub(crate) struct Framed(SendWrapper<Blob>);

impl Classifier {
    /// Classifies encoded pictures that the browser holds, in one call, telling how much of them has been sent. Their bytes go
    /// from the files to the server and never through the page's memory.
    ///
    /// Each picture gets what [`classify`](Self::classify) would have given it, in the order of `pictures`. What befalls the
    /// call as a whole befalls each of them that has no answer yet.
    pub async fn classify_blobs(
        &self,
        pictures: &[Blob],
        options: &ClassifyOptions,
        watch: UploadWatch,
    ) -> Vec<Result<Answer, CallError>> {
        match pictures {
            [picture] => vec![self.classify_blob(picture, options, watch).await],
            _ => self.classify_batch(pictures, options, watch).await,
        }
    }

    async fn classify_blob(
        &self,
        picture: &Blob,
        options: &ClassifyOptions,
        watch: UploadWatch,
    ) -> Result<Answer, CallError> {
        let message = request(options, picture);
        let call = self.posting(ClassifyImageRequest::default(), message, watch)?;
        Ok(self.rpc.clone().classify(call).await?.into_inner())
    }

    async fn classify_batch(
        &self,
        pictures: &[Blob],
        options: &ClassifyOptions,
        watch: UploadWatch,
    ) -> Vec<Result<Answer, CallError>> {
        let mut outcomes = vec![None; pictures.len()];
        let requests = pictures.iter().map(|picture| request(options, picture));
        let message = Pieces::batch(requests);
        let end = self.batch_outcomes(message, watch, &mut outcomes).await;
        let missing = end.err().unwrap_or_else(CallError::unanswered);
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
        let call = self.posting(ClassifyBatchRequest::default(), message, watch)?;
        let mut answers = self.rpc.clone().classify_batch(call).await?.into_inner();
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

    /// A call that sends `message` where tonic thinks it sends `stand_in`.
    fn posting<T>(
        &self,
        stand_in: T,
        message: Pieces<&Blob>,
        watch: UploadWatch,
    ) -> Result<Request<T>, CallError> {
        let mut call = self.timed(stand_in);
        call.extensions_mut().insert(Framed::of(message)?);
        call.extensions_mut().insert(watch);
        Ok(call)
    }
}

impl Framed {
    fn of(message: Pieces<&Blob>) -> Result<Self, CallError> {
        let parts = Array::new();
        for piece in message.framed().map_err(|_| CallError::too_long())? {
            let part: JsValue = match piece {
                Piece::Bytes(bytes) => Uint8Array::from(&*bytes).into(),
                Piece::Picture(picture) => picture.into(),
            };
            parts.push(&part);
        }
        let blob = Blob::new_with_blob_sequence(&parts).expect("bytes and blobs make a blob");
        Ok(Self(SendWrapper::new(blob)))
    }

    pub(crate) fn blob(&self) -> &Blob {
        &self.0
    }
}

/// A blob's size is a whole number far below the precision of f64.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size is whole and not negative"
)]
fn request<'a>(options: &ClassifyOptions, picture: &'a Blob) -> Pieces<&'a Blob> {
    Pieces::request(options.clone(), picture, picture.size() as u64)
}
