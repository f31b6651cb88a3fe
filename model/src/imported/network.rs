use std::sync::Arc;

use imageclassifier_kernels::{Graph, Program, ProgramBuffers};

use super::{ImportedModel, NetworkFile};
use crate::{
    Compute, Embedding, FeatureMap, Head, Heatmap, Inference, Input, Logits, ModelFolderProblem,
    NetworkError, Preprocessing, ThreadTeam, folder,
};

/// The network of an [`ImportedModel`], ready to run on any number of threads. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ImportedNetwork(Arc<Prepared>);

#[derive(Debug)]
struct Prepared {
    layers: Layers,
    preprocessing: Preprocessing,
}

#[derive(Debug)]
enum Layers {
    Fused(Program),
    /// In the reference loops.
    Reference(Graph),
}

/// An [`ImportedNetwork`] and the buffers of one thread that runs it.
#[derive(Debug)]
pub struct ImportedRunner {
    network: ImportedNetwork,
    /// `None` for the reference loops, which make their own.
    buffers: Option<ProgramBuffers>,
    /// `[channel, height, width]`
    planes: Vec<f32>,
}

impl ImportedNetwork {
    /// Prepares the model's network to be computed as `compute` says: with our kernels in f32, or in the reference loops.
    ///
    /// # Errors
    /// As [`ImportedModel::network`], if memory cannot hold its maps, and if the model has a head for other features.
    pub fn load(model: &ImportedModel, compute: Compute) -> Result<Self, ModelFolderProblem> {
        let graph = model.network()?;
        let layers = match compute {
            Compute::Fused(isa) => {
                let program = Program::new(isa, graph);
                Layers::Fused(program.map_err(|error| model.file().problem(&error))?)
            }
            Compute::Plain(_) => Layers::Reference(graph.fused()),
        };
        let network = Self(Arc::new(Prepared {
            layers,
            preprocessing: model.preprocessing().clone(),
        }));
        if let Some(head) = model.head() {
            network.check_head(head, model.file())?;
        }
        Ok(network)
    }

    fn check_head(&self, head: &Head, file: &NetworkFile) -> Result<(), ModelFolderProblem> {
        match (self.channels(), self.program()) {
            (Some(channels), _) => folder::check_channels(head, channels),
            (None, Some(_)) => Err(ModelFolderProblem::NoFeatures { file: file.name() }),
            (None, None) => Err(ModelFolderProblem::NoKernels),
        }
    }

    /// How images become its input.
    #[must_use]
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.0.preprocessing
    }

    /// The fused operations, unless it runs in the reference loops.
    #[must_use]
    pub fn program(&self) -> Option<&Program> {
        match &self.0.layers {
            Layers::Fused(program) => Some(program),
            Layers::Reference(_) => None,
        }
    }

    /// The share of the arithmetic that kernels compute, 0 to 1.
    #[must_use]
    pub fn kernel_share(&self) -> f64 {
        self.program().map_or(0.0, Program::kernel_share)
    }

    /// Buffers with which one thread can run the network.
    #[must_use]
    pub fn runner(&self) -> ImportedRunner {
        ImportedRunner {
            network: self.clone(),
            buffers: self.program().map(Program::buffers),
            planes: Vec::new(),
        }
    }

    /// Whether `other` is the same network in memory.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Length of an embedding, if the network ends with global average pooling and a linear layer.
    #[must_use]
    pub fn channels(&self) -> Option<usize> {
        self.program()?.channels()
    }

    /// Whether there are heatmaps: the network ends with global average pooling and a linear layer.
    #[must_use]
    pub fn is_explainable(&self) -> bool {
        self.channels().is_some()
    }

    /// As [`Classifier::heatmap`](crate::Classifier::heatmap).
    pub(crate) fn heatmap(&self, features: &FeatureMap, class: usize) -> Option<Heatmap> {
        let row = self.program()?.class_weights(class)?;
        Some(features.weighted(&row))
    }
}

impl ImportedRunner {
    /// The network that it runs.
    #[must_use]
    pub fn network(&self) -> &ImportedNetwork {
        &self.network
    }

    /// Computes the logits of `input`, and the embedding where the network ends with pooling and a linear layer; else the
    /// embedding is empty. Keeps the feature map if `explain` is set and there is one.
    ///
    /// # Errors
    /// [`NetworkError::InputSize`], [`NetworkError::NotFinite`].
    pub fn infer(
        &mut self,
        input: &Input,
        team: &mut ThreadTeam,
        explain: bool,
    ) -> Result<Inference, NetworkError> {
        let prepared = &*self.network.0;
        let size = prepared.preprocessing.input_size;
        if input.size() != size {
            return Err(NetworkError::InputSize {
                actual: input.size(),
                expected: size,
            });
        }
        self.planes.clear();
        let (pixels, _) = input.values().as_chunks::<3>();
        for channel in 0..3 {
            self.planes
                .extend(pixels.iter().map(|pixel| pixel[channel]));
        }
        let logits = |values: &[f32]| Logits::new(values).ok_or(NetworkError::NotFinite);
        match (&prepared.layers, &mut self.buffers) {
            (Layers::Fused(program), Some(buffers)) => {
                let logits = logits(program.run(team, buffers, &self.planes))?;
                let pooled = program.pooled(buffers).unwrap_or_default();
                let features = explain.then(|| program.features(buffers)).flatten();
                Ok(Inference {
                    logits,
                    embedding: Embedding::new(pooled.to_vec()),
                    features: features.map(|it| FeatureMap {
                        height: it.height,
                        width: it.width,
                        values: it.values,
                    }),
                })
            }
            (Layers::Reference(graph), _) => Ok(Inference {
                logits: logits(&graph.run(&self.planes))?,
                embedding: Embedding::new(Vec::new()),
                features: None,
            }),
            (Layers::Fused(_), None) => unreachable!("a runner of kernels has buffers"),
        }
    }
}
