use crate::{
    Activation, Head,
    folder::{files, tensors},
};

/// The classes of a model with a network of its own.
#[derive(Clone, Debug)]
pub(super) enum Classes {
    /// Those of the network's last layer.
    Own {
        labels: Vec<String>,
        activation: Activation,
    },
    /// Those of a head on the network's features.
    Trained(TrainedHead),
}

/// A head, and what its folder says about it.
#[derive(Clone, Debug)]
pub(super) struct TrainedHead {
    pub(super) head: Head,
    /// SHA-256 of `model.safetensors`.
    pub(super) digest: String,
    /// How it was trained: for people, not read back.
    pub(super) training: serde_json::Value,
}

impl Classes {
    pub(super) fn labels(&self) -> &[String] {
        match self {
            Self::Own { labels, .. } => labels,
            Self::Trained(trained) => &trained.head.parts().labels,
        }
    }

    pub(super) fn activation(&self) -> Activation {
        match self {
            Self::Own { activation, .. } => *activation,
            Self::Trained(trained) => trained.head.parts().activation,
        }
    }

    pub(super) fn trained(&self) -> Option<&TrainedHead> {
        match self {
            Self::Own { .. } => None,
            Self::Trained(trained) => Some(trained),
        }
    }
}

impl TrainedHead {
    /// A head that was trained on the features that `features_digest` stands for.
    pub(super) fn new(head: Head, features_digest: &str, training: serde_json::Value) -> Self {
        Self {
            digest: files::digest(&tensors::serialize(&head, features_digest)),
            head,
            training,
        }
    }
}
