use std::sync::Arc;

use burn::{
    Tensor,
    store::{ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore},
    tensor::{Device, TensorData},
};
use imageclassifier_kernels::{BuildError, ThreadTeam, Workspace};

use crate::{
    Compute, Embedding, FeatureMap, Input, Logits, Weights, efficientnet_lite::EfficientNetLite,
    fused::FusedEfficientNetLite,
};

/// EfficientNet-Lite with its weights, ready to run on any number of threads. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Network {
    layers: Layers,
    device: Device,
    input_size: u32,
}

#[derive(Clone, Debug)]
enum Layers {
    Fused(Arc<FusedEfficientNetLite>),
    Plain(Arc<EfficientNetLite>),
}

/// A [`Network`] and the buffers of one thread that runs it. Make it once, and reuse it.
#[derive(Debug)]
pub struct Runner {
    layers: RunnerLayers,
    device: Device,
    input_size: u32,
}

#[derive(Debug)]
enum RunnerLayers {
    Fused(Arc<FusedEfficientNetLite>, Box<Workspace>),
    /// burn's operators make their own buffers.
    Plain(Arc<EfficientNetLite>),
}

/// What the network computes of one image.
#[derive(Clone, Debug)]
pub struct Inference {
    /// For the network's own classes.
    pub logits: Logits,
    /// For the classes of a [`Head`](crate::Head).
    pub embedding: Embedding,
    /// For heatmaps, if they were asked for.
    pub features: Option<FeatureMap>,
}

/// Why a network cannot be loaded or has no answer.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The weights do not belong to the variant.
    #[error("the weights of {name} do not fit the network: {reason}")]
    Weights {
        /// The variant.
        name: &'static str,
        /// The message of burn-store.
        reason: String,
    },
    /// The instruction set cannot be used.
    #[error("cannot prepare the kernels")]
    Kernel(#[from] BuildError),
    /// An input was prepared for another network.
    #[error("the input is {actual} x {actual} pixels, the network takes {expected} x {expected}")]
    InputSize {
        /// Side of the input.
        actual: u32,
        /// Side that the network requires.
        expected: u32,
    },
    /// A logit is infinite or NaN.
    #[error("the network's answer is not finite")]
    NotFinite,
}

impl Network {
    /// Builds the network of `weights`, to be computed as `compute` says.
    ///
    /// # Errors
    /// [`NetworkError::Weights`] if a layer finds no weights or weights of another shape; [`NetworkError::Kernel`] if this
    /// machine lacks the instruction set.
    pub fn load(weights: &Weights, compute: Compute) -> Result<Self, NetworkError> {
        let variant = weights.variant;
        let architecture = variant.architecture();
        let device = compute.device();
        let mut layers = EfficientNetLite::new(&architecture, &device);
        let mut store = SafetensorsStore::from_bytes(Some(weights.safetensors.to_vec()))
            .with_from_adapter(PyTorchToBurnAdapter);
        layers
            .load_from(&mut store)
            .map_err(|error| NetworkError::Weights {
                name: variant.name(),
                reason: error.to_string(),
            })?;
        let layers = match compute {
            Compute::Plain(_) => Layers::Plain(Arc::new(layers)),
            Compute::Fused(isa) => {
                let fused = FusedEfficientNetLite::new(&layers, &architecture, isa)?;
                Layers::Fused(Arc::new(fused))
            }
        };
        Ok(Self {
            layers,
            device,
            input_size: variant.input_size(),
        })
    }

    /// Buffers with which one thread can run the network. They do not depend on the number of threads: a team has its own.
    #[must_use]
    pub fn runner(&self) -> Runner {
        let layers = match &self.layers {
            Layers::Fused(fused) => {
                RunnerLayers::Fused(Arc::clone(fused), Box::new(fused.workspace()))
            }
            Layers::Plain(layers) => RunnerLayers::Plain(Arc::clone(layers)),
        };
        Runner {
            layers,
            device: self.device.clone(),
            input_size: self.input_size,
        }
    }
}

impl Runner {
    /// Computes the logits of `input`. The fused network shares the work with `team`; burn's operators have their own
    /// threads.
    ///
    /// # Errors
    /// [`NetworkError::InputSize`], [`NetworkError::NotFinite`].
    pub fn run(&mut self, input: Input, team: &mut ThreadTeam) -> Result<Logits, NetworkError> {
        let images = self.tensor(input)?;
        let logits = match &mut self.layers {
            RunnerLayers::Fused(fused, workspace) => fused.forward(images, workspace, team),
            RunnerLayers::Plain(layers) => layers.forward(images),
        };
        finite(logits)
    }

    /// As [`run`](Self::run), and also returns what a [`Classifier`](crate::Classifier) needs: the embedding, and the last feature
    /// map if `explain` is set.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn infer(
        &mut self,
        input: Input,
        team: &mut ThreadTeam,
        explain: bool,
    ) -> Result<Inference, NetworkError> {
        let images = self.tensor(input)?;
        let (logits, embedding, features) = match &mut self.layers {
            RunnerLayers::Fused(fused, workspace) => {
                let logits = fused.forward(images, workspace, team);
                let features = explain.then(|| fused.features(workspace));
                (logits, fused.embedding(workspace), features)
            }
            RunnerLayers::Plain(layers) => {
                let features = layers.features(images);
                let map = explain.then(|| FeatureMap::of_tensor(features.clone()));
                let pooled = EfficientNetLite::pool(features);
                let logits = layers.classify(pooled.clone());
                (logits, Embedding::of_tensor(pooled), map)
            }
        };
        Ok(Inference {
            logits: finite(logits)?,
            embedding,
            features,
        })
    }

    /// The input as `[1, size, size, 3]`.
    fn tensor(&self, input: Input) -> Result<Tensor<4>, NetworkError> {
        if input.size() != self.input_size {
            return Err(NetworkError::InputSize {
                actual: input.size(),
                expected: self.input_size,
            });
        }
        let size = self.input_size as usize;
        let images = TensorData::new(input.into_values(), [1, size, size, 3]);
        Ok(Tensor::from_data(images, &self.device))
    }
}

fn finite(logits: Tensor<2>) -> Result<Logits, NetworkError> {
    let logits = logits.into_data();
    let values = logits
        .as_slice::<f32>()
        .expect("the network computes in f32");
    Logits::new(values).ok_or(NetworkError::NotFinite)
}
