use imageclassifier_model::Head;
use imageclassifier_train::Prediction;

use crate::train::{dataset::LabelledImage, features::Features};

/// What `head` says about the images of `features`. An image without finite logits is left out.
pub(crate) fn predictions<'f>(
    head: &Head,
    features: &'f Features,
) -> impl Iterator<Item = (&'f LabelledImage, Prediction)> {
    let classes = head.parts().labels.len();
    features.images.iter().filter_map(move |it| {
        let logits = head.logits(&it.embedding)?;
        let mut probabilities = vec![0.0; classes];
        for class in head.rank(&logits, classes).classes() {
            probabilities[class.index] = f64::from(class.probability);
        }
        let prediction = Prediction {
            probabilities,
            known_score: head.known(&it.embedding).score,
            labels: it.image.classes.clone(),
        };
        Some((&it.image, prediction))
    })
}
