//! Files of a model folder, as strangers may publish them. What is accepted can be computed with.

use std::sync::OnceLock;

use imageclassifier_model::{Classifier, Embedding, ModelFolder, Precision, Weights};

/// Between `config.json` and `model.safetensors` in the data.
const SEPARATOR: &[u8] = b"\n--\n";

/// Reads a model, and uses it if it is accepted.
pub fn run(data: &[u8]) {
    static WEIGHTS: OnceLock<Weights> = OnceLock::new();
    let mut windows = data.windows(SEPARATOR.len());
    let Some(at) = windows.position(|window| window == SEPARATOR) else {
        return;
    };
    let (config, tensors) = (&data[..at], &data[at + SEPARATOR.len()..]);
    let Ok(folder) = ModelFolder::from_files("fuzzed", config, tensors) else {
        return;
    };
    let parts = folder.head().parts();
    assert_eq!(
        parts.weight.len(),
        parts.labels.len() * folder.base().channels()
    );
    let weights = WEIGHTS.get_or_init(Weights::lite0);
    let Some(classifier) = Classifier::trained(&folder, weights, Precision::F32) else {
        return assert!(
            folder.base_digest() != weights.digest() || folder.base() != weights.variant()
        );
    };
    assert_eq!(folder.base_digest(), weights.digest());
    for value in [0.0, 1.0, 6.0] {
        let embedding = Embedding::new(vec![value; folder.base().channels()]);
        let logits = folder.head().logits(&embedding).expect("finite");
        let ranking = classifier.rank(&logits, 5);
        for class in ranking.classes() {
            assert!((0.0..=1.0).contains(&class.probability), "{class:?}");
            assert!(!classifier.labels()[class.index].is_empty());
        }
        assert!(folder.head().known(&embedding).score.is_finite());
    }
}
