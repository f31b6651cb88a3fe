use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::{
    Activation, Explainer, Head, Heatmap, ImportedModel, ImportedNetwork, Inference, Known, Logits,
    ModelFolder, NetworkError, Precision, Ranking, Weights, labels,
};

/// A model as clients see it: a name, classes, and how the network's answer becomes a ranking of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Classifier(Arc<Model>);

#[derive(Debug)]
struct Model {
    name: String,
    labels: Vec<String>,
    digest: String,
    revision: String,
    last_layer: LastLayer,
}

#[derive(Clone, Debug)]
enum LastLayer {
    /// The network's own, which it has computed already.
    BuiltIn(Explainer),
    Trained(Head),
    /// Of another network, which has computed it already.
    Imported(ImportedNetwork, Activation),
    /// On the features of another network.
    TrainedOnImported(ImportedNetwork, Head),
}

/// SHA-256 of all that answers depend on: other labels for the same numbers are another model.
fn answers_digest(folder: &ModelFolder) -> String {
    let parts = folder.head().parts();
    let mut hash = Sha256::new_with_prefix(folder.digest());
    hash.update(format!("{:?}", parts.activation));
    for label in &parts.labels {
        hash.update(label);
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Classifier {
    /// The ImageNet classes of the network itself.
    #[must_use]
    pub fn built_in(weights: &Weights, precision: Precision) -> Self {
        Self(Arc::new(Model {
            name: weights.variant().name().to_owned(),
            labels: labels().iter().map(|&label| label.to_owned()).collect(),
            digest: weights.digest().to_owned(),
            revision: weights.revision(precision),
            last_layer: LastLayer::BuiltIn(Explainer::new(weights)),
        }))
    }

    /// The classes of a model folder. `None` unless the folder's head was trained on the features of `weights`.
    #[must_use]
    pub fn trained(folder: &ModelFolder, weights: &Weights, precision: Precision) -> Option<Self> {
        if folder.base_digest() != weights.digest() || folder.base() != weights.variant() {
            return None;
        }
        Some(Self(Arc::new(Model {
            name: folder.name().to_owned(),
            labels: folder.head().parts().labels.clone(),
            digest: folder.digest().to_owned(),
            revision: format!(
                "{}-{}",
                weights.revision(precision),
                &answers_digest(folder)[..12]
            ),
            last_layer: LastLayer::Trained(folder.head().clone()),
        })))
    }

    /// A model with a network of its own, which was made of `model`: with the network's classes, or those of a head.
    #[must_use]
    pub fn imported(model: &ImportedModel, network: ImportedNetwork) -> Self {
        let last_layer = match model.head() {
            None => LastLayer::Imported(network, model.activation()),
            Some(head) => LastLayer::TrainedOnImported(network, head.clone()),
        };
        Self(Arc::new(Model {
            name: model.name().to_owned(),
            labels: model.labels().to_vec(),
            digest: model.digest().to_owned(),
            revision: format!(
                "{}-{}",
                model.preprocessing().version,
                &model.answers_digest()[..12]
            ),
            last_layer,
        }))
    }

    /// The network, if the model has one of its own. An inference for this model must come from it.
    #[must_use]
    pub fn network(&self) -> Option<&ImportedNetwork> {
        match &self.0.last_layer {
            LastLayer::BuiltIn(_) | LastLayer::Trained(_) => None,
            LastLayer::Imported(network, _) | LastLayer::TrainedOnImported(network, _) => {
                Some(network)
            }
        }
    }

    /// Whether it has heatmaps.
    #[must_use]
    pub fn is_explainable(&self) -> bool {
        self.network().is_none_or(ImportedNetwork::is_explainable)
    }

    /// The same model under another name.
    #[must_use]
    pub fn renamed(&self, name: &str) -> Self {
        let model = &*self.0;
        Self(Arc::new(Model {
            name: name.to_owned(),
            labels: model.labels.clone(),
            digest: model.digest.clone(),
            revision: model.revision.clone(),
            last_layer: model.last_layer.clone(),
        }))
    }

    /// Name of the model.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Readable names of the classes, by class index.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.0.labels
    }

    /// SHA-256 of the weights, or of the trained head: 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.0.digest
    }

    /// Changes whenever the same image may get another answer.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.0.revision
    }

    /// The trained head, if the classes are not the network's own.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        match &self.0.last_layer {
            LastLayer::BuiltIn(_) | LastLayer::Imported(..) => None,
            LastLayer::Trained(head) | LastLayer::TrainedOnImported(_, head) => Some(head),
        }
    }

    /// One logit per class.
    ///
    /// # Errors
    /// [`NetworkError::NotFinite`].
    pub fn logits(&self, inference: &Inference) -> Result<Logits, NetworkError> {
        match self.head() {
            None => Ok(inference.logits.clone()),
            Some(head) => head
                .logits(&inference.embedding)
                .ok_or(NetworkError::NotFinite),
        }
    }

    /// How much the image resembles the classes. `None` for the network's own classes, whose means are not known.
    #[must_use]
    pub fn known(&self, inference: &Inference) -> Option<Known> {
        self.head().map(|head| head.known(&inference.embedding))
    }

    /// The `top_k` most probable classes.
    #[must_use]
    pub fn rank(&self, logits: &Logits, top_k: usize) -> Ranking {
        match &self.0.last_layer {
            LastLayer::BuiltIn(_) | LastLayer::Imported(_, Activation::Softmax) => {
                Ranking::of(logits, top_k)
            }
            LastLayer::Trained(head) | LastLayer::TrainedOnImported(_, head) => {
                head.rank(logits, top_k)
            }
            LastLayer::Imported(_, Activation::Sigmoid) => Ranking::of_independent(logits, top_k),
        }
    }

    /// Where in the image something speaks for `class`, and where against it. `None` unless the inference kept the feature map
    /// and the model has heatmaps.
    ///
    /// # Panics
    /// If there is no such class.
    #[must_use]
    pub fn heatmap(&self, inference: &Inference, class: usize) -> Option<Heatmap> {
        let features = inference.features.as_ref()?;
        match &self.0.last_layer {
            LastLayer::BuiltIn(explainer) => Some(explainer.heatmap(features, class)),
            LastLayer::Trained(head) | LastLayer::TrainedOnImported(_, head) => {
                Some(head.heatmap(features, &inference.embedding, class))
            }
            LastLayer::Imported(network, _) => network.heatmap(features, class),
        }
    }
}
