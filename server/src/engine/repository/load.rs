use std::{path::Path, sync::OnceLock};

use imageclassifier_model::{
    Classifier, Compute, Embedding, ImportedModel, ImportedNetwork, Input, ModelFolder, Precision,
    ThreadTeam, Weights,
};

use crate::engine::models::{PREPARED_SUFFIX, State};

/// Makes models of folders: heads for one network, and networks of their own.
pub(crate) struct Loader {
    weights: Weights,
    precision: Precision,
    /// How networks of models are computed.
    compute: Compute,
    built_in_name: String,
    /// The features of the warm-up image, once the network has computed them.
    warm_up: OnceLock<Embedding>,
}

/// A model that has answered once.
pub(super) struct Loaded {
    pub(super) classifier: Classifier,
    /// A JSON object.
    pub(super) training: String,
}

impl Loader {
    pub(crate) fn new(weights: Weights, precision: Precision, compute: Compute) -> Self {
        Self {
            built_in_name: weights.variant().name().to_owned(),
            weights,
            precision,
            compute,
            warm_up: OnceLock::new(),
        }
    }

    /// Sets the features that a new model has to classify before it is served.
    pub(super) fn warm_up_with(&self, embedding: Embedding) {
        // The same image has the same features.
        let _ = self.warm_up.set(embedding);
    }

    /// Reads and tries the model in the folder at `path`.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn read(&self, path: &Path, name: &str) -> Result<Loaded, String> {
        self.check_name(name)?;
        if ImportedModel::is_at(path) {
            let model = ImportedModel::read_as(path, name);
            return self.accept_imported(&model.map_err(|error| error.source.to_string())?);
        }
        let folder = ModelFolder::read_as(path, name);
        self.accept(&folder.map_err(|error| error.source.to_string())?)
    }

    /// As [`read`](Self::read), from the contents of the two files.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn parse(
        &self,
        name: &str,
        config: &[u8],
        tensors: &[u8],
    ) -> Result<Loaded, String> {
        self.check_name(name)?;
        let folder = ModelFolder::from_files(name, config, tensors);
        self.accept(&folder.map_err(|error| error.to_string())?)
    }

    /// Clients must be able to tell the models apart.
    fn check_name(&self, name: &str) -> Result<(), String> {
        if name == self.built_in_name {
            return Err("it has the name of the built-in model: rename the folder".to_owned());
        }
        if name.ends_with(PREPARED_SUFFIX) {
            return Err(format!(
                "its name ends with {PREPARED_SUFFIX}, which the Open Inference Protocol uses: rename the folder"
            ));
        }
        Ok(())
    }

    fn accept(&self, folder: &ModelFolder) -> Result<Loaded, String> {
        let classifier = Classifier::trained(folder, &self.weights, self.precision);
        let classifier = classifier.ok_or_else(|| {
            format!(
                "it was trained on {} with the weights {}, the server runs {} with {}: train it again on this network, or start the server with the file of these weights in --weights",
                folder.base().name(),
                folder.base_digest(),
                self.built_in_name,
                self.weights.digest()
            )
        })?;
        self.warm_up(folder)?;
        Ok(Loaded {
            classifier,
            training: folder.training().to_string(),
        })
    }

    /// Runs the network and the head once, on a grey image, to reject numbers that overflow.
    fn accept_imported(&self, model: &ImportedModel) -> Result<Loaded, String> {
        let network =
            ImportedNetwork::load(model, self.compute).map_err(|error| error.to_string())?;
        let size = network.preprocessing().input_size;
        let values = vec![0.0; size as usize * size as usize * 3];
        let input = Input::from_values(size, values).expect("three values a pixel");
        let tried = network
            .runner()
            .infer(&input, &mut ThreadTeam::solo(), false);
        let tried = tried.map_err(|error| format!("{error}: export the model again"))?;
        if let Some(program) = network.program() {
            tracing::info!(
                model = model.name(),
                kernel_share = program.kernel_share(),
                buffer_bytes = program.buffer_bytes(),
                "network of a model prepared"
            );
        }
        let classifier = Classifier::imported(model, network);
        let answered = classifier.logits(&tried);
        answered.map_err(|error| format!("{error}: import the network again"))?;
        Ok(Loaded {
            classifier,
            training: model.origin().to_string(),
        })
    }

    /// Classifies the warm-up image. Before the network has seen it, other features serve as well: they show that every number
    /// of the head can be computed with.
    fn warm_up(&self, folder: &ModelFolder) -> Result<(), String> {
        let ones = || Embedding::new(vec![1.0; self.weights.variant().channels()]);
        let embedding = self.warm_up.get().cloned().unwrap_or_else(ones);
        let head = folder.head();
        let finite = head.logits(&embedding).is_some() && head.known(&embedding).score.is_finite();
        finite.then_some(()).ok_or_else(|| {
            "its answer to the warm-up image is not finite: train it again".to_owned()
        })
    }
}

impl Loaded {
    pub(super) fn into_state(self) -> State {
        State::Serving {
            classifier: self.classifier,
            training: self.training,
            problem: None,
        }
    }
}
