use std::{
    iter,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use bytes::Bytes;
use imageclassifier_client::CallError;
use imageclassifier_model::{
    Compute, DecodedImage, EncodedImage, ImportedModel, ImportedNetwork, ImportedRunner, Input,
    ThreadTeam,
};

use super::network::{IMAGE_BYTES_MAX, Inferred, PIXELS_MAX, failed, rejected};

/// A model's own network in this process, once for each core.
pub(super) struct LocalImported {
    network: ImportedNetwork,
    threads: usize,
    /// Runners that are free.
    runners: Mutex<Vec<ImportedRunner>>,
}

impl LocalImported {
    /// # Errors
    /// If the model's network cannot be used.
    pub(super) fn load(model: &ImportedModel) -> Result<Self, String> {
        let network = ImportedNetwork::load(model, Compute::fastest());
        let network = network.map_err(|error| format!("cannot use {}: {error}", model.name()))?;
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let runners = iter::repeat_with(|| network.runner()).take(threads);
        Ok(Self {
            runners: Mutex::new(runners.collect()),
            threads,
            network,
        })
    }

    pub(super) fn network(&self) -> &ImportedNetwork {
        &self.network
    }

    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// As `LocalNetwork::infer`.
    pub(super) fn infer(&self, image: &Bytes, explain: bool) -> Result<Inferred, CallError> {
        let begun_at = Instant::now();
        let image = EncodedImage::new(image, IMAGE_BYTES_MAX).map_err(rejected)?;
        let preprocessing = self.network.preprocessing();
        let decoded =
            DecodedImage::decode(&image, PIXELS_MAX, preprocessing.view()).map_err(rejected)?;
        let input = Input::prepare_for(&decoded, preprocessing);
        let decoded_at = Instant::now();
        let runners = || self.runners.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = runners().pop();
        let mut runner = taken.expect("there is a runner for each image in progress");
        let outcome = runner.infer(&input, &mut ThreadTeam::solo(), explain);
        runners().push(runner);
        Ok(Inferred {
            inference: outcome.map_err(failed)?,
            crop: decoded.crop(),
            decode: decoded_at - begun_at,
            network: decoded_at.elapsed(),
        })
    }
}
