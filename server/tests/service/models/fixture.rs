//! Folders of models that need no training: the features of one photograph are the whole class.

use std::{collections::HashMap, fs, path::PathBuf};

use imageclassifier_client::{Classifier, ModelSummary};
use imageclassifier_model::{Activation, Head, HeadParts, ModelFolder, Weights};
use tempfile::{NamedTempFile, TempDir};
use tokio::sync::OnceCell;
use tonic::Request;

use crate::app::{App, photograph};

/// A folder for `--models`.
pub(crate) struct Dir {
    folder: TempDir,
    features: &'static HashMap<&'static str, Vec<f32>>,
}

pub(crate) fn client(app: &App) -> Classifier {
    Classifier::new(&app.url()).unwrap()
}

/// What the server lists.
pub(crate) async fn summary(app: &App, name: &str, version: u64) -> Option<ModelSummary> {
    let mut all = client(app).list_models().await.unwrap().into_iter();
    all.find(|model| model.name == name && model.version == version)
}

/// `printf %s secret | sha256sum`, and the same of "changed".
const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
const CHANGED: &str = "d67e2e944994496c8d8ec76eed0cf9f09679448d584b532bebf941852a37f5ed";

/// "secret" may publish, "changed" may only classify.
pub(crate) fn tokens() -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let lines = format!("trainer {SECRET} publish\npage {CHANGED}\n");
    fs::write(file.path(), lines).unwrap();
    file
}

pub(crate) fn with_token<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    let authorization = format!("Bearer {token}").parse().unwrap();
    request
        .metadata_mut()
        .insert("authorization", authorization);
    request
}

impl Dir {
    pub(crate) async fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            features: features().await,
        }
    }

    pub(crate) fn options(&self) -> [&str; 4] {
        let folder = self.folder.path().to_str().unwrap();
        ["--models", folder, "--models-poll-interval", "0.1"]
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A model whose classes are these photographs, at NAME or NAME/VERSION.
    pub(crate) fn write(&self, path: &str, photographs: &[&str]) {
        self.write_labelled(path, photographs, photographs);
    }

    /// As [`write`](Self::write), with other labels.
    pub(crate) fn write_labelled(&self, path: &str, photographs: &[&str], labels: &[&str]) {
        let folder = self.model(photographs, labels);
        folder.write(&self.path(path)).unwrap();
    }

    pub(crate) fn model(&self, photographs: &[&str], labels: &[&str]) -> ModelFolder {
        let unit = |name: &&str| {
            let values = &self.features[*name];
            let length = values.iter().map(|it| it * it).sum::<f32>().sqrt();
            values.iter().map(|it| it / length).collect::<Vec<_>>()
        };
        let means: Vec<f32> = photographs.iter().flat_map(unit).collect();
        let parts = HeadParts {
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            activation: Activation::Softmax,
            weight: means.clone(),
            bias: vec![0.0; labels.len()],
            class_means: means,
            temperature: 0.1,
            known_threshold: Some(0.8),
        };
        let head = Head::new(parts, 1280).unwrap();
        let training = serde_json::json!({ "images": photographs.len() });
        ModelFolder::new("any", head, &Weights::lite0(), training).unwrap()
    }

    /// A model of a network that the server does not run.
    pub(crate) fn write_for_another_base(&self, path: &str) {
        self.write(path, &["coffee", "rocket"]);
        let digest = Weights::lite0().digest().as_bytes().to_vec();
        for file in ["config.json", "model.safetensors"] {
            let file = self.path(path).join(file);
            let mut bytes = fs::read(&file).unwrap();
            let mut windows = bytes.windows(digest.len());
            let at = windows.position(|window| window == digest).unwrap();
            bytes[at..at + digest.len()].fill(b'0');
            fs::write(file, bytes).unwrap();
        }
    }

    pub(crate) fn file(&self, path: &str, name: &str, bytes: &[u8]) {
        fs::create_dir_all(self.path(path)).unwrap();
        fs::write(self.path(path).join(name), bytes).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_dir_all(self.path(path)).unwrap();
    }
}

/// The features of the photographs, from a server without models of its own.
async fn features() -> &'static HashMap<&'static str, Vec<f32>> {
    static FEATURES: OnceCell<HashMap<&str, Vec<f32>>> = OnceCell::const_new();
    FEATURES
        .get_or_init(async || {
            let app = App::start().await;
            let mut features = HashMap::new();
            for (name, file) in [("coffee", "coffee.png"), ("rocket", "rocket.jpg")] {
                let embedded = client(&app).embed(photograph(file), "").await.unwrap();
                features.insert(name, embedded.embedding);
            }
            features
        })
        .await
}
