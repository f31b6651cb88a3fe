use crate::{
    Evaluation, Prediction, Suspicious, Task,
    examples::Examples,
    fit::fit,
    folds::Folds,
    held_out, known,
    learning_curve::{self, LearningPoint},
    probabilities::probabilities,
    suspicious, temperature,
};

/// What a training computes besides the head.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether images that resemble no class are called unknown.
    pub unknown: bool,
    /// Whether to compute the learning curve, which costs about as much as everything else.
    pub learning_curve: bool,
}

/// A trained last layer: everything that makes probabilities and a known score of an image's features.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// `[classes, channels]`. The logits are `weight · f + bias`, where `f` is the features scaled to length 1.
    pub weight: Vec<f32>,
    /// `[classes]`.
    pub bias: Vec<f32>,
    /// `[classes, channels]`, each row of length 1. The known score is the largest cosine similarity to a row.
    pub class_means: Vec<f32>,
    /// Divides the logits before the softmax or sigmoid.
    pub temperature: f32,
    /// Images with a lower known score are unknown. `None` if none is.
    pub known_threshold: Option<f32>,
}

/// A head, and how good it is.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The head, fitted to all examples.
    pub head: Head,
    /// Predictions for each example by heads that have not seen it, with the temperature of `head`.
    pub held_out: Vec<Prediction>,
    /// What those predictions are worth.
    pub evaluation: Evaluation,
    /// Whether each example was held out alone, instead of with a fifth of all.
    pub leave_one_out: bool,
    /// Labels that are probably wrong, the likeliest first. Empty where an image can have several classes.
    pub suspicious: Vec<Suspicious>,
    /// Empty if it was not asked for or the examples are few.
    pub learning_curve: Vec<LearningPoint>,
}

/// Trains a head on `examples`: logistic regression with an L2 penalty, a temperature and a threshold from held-out
/// predictions. The same examples in the same order give the same bits, on any number of threads.
#[must_use]
pub fn train(examples: &Examples, options: Options) -> Trained {
    let everything: Vec<_> = (0..examples.len()).collect();
    let linear = fit(examples, &everything);
    let folds = Folds::new(examples);
    let logits = held_out::logits(examples, &folds);
    let temperature = temperature::fit(examples, &logits);
    let known_scores = known::leave_one_out_scores(examples);
    let held_out: Vec<_> = logits
        .iter()
        .zip(&known_scores)
        .enumerate()
        .map(|(example, (logits, &known_score))| Prediction {
            probabilities: probabilities(examples.task(), logits, temperature.into()),
            known_score,
            labels: examples.labels(example).to_vec(),
        })
        .collect();
    let suspicious = match examples.task() {
        Task::SingleLabel => suspicious::find(examples.classes(), &held_out),
        Task::MultiLabel => Vec::new(),
    };
    let evaluation = Evaluation::of(examples.task(), examples.classes(), &held_out);
    Trained {
        head: Head {
            weight: linear.weight,
            bias: linear.bias,
            class_means: known::class_means(examples),
            temperature,
            known_threshold: options.unknown.then(|| known::threshold(&known_scores)),
        },
        leave_one_out: folds.is_leave_one_out(),
        learning_curve: if options.learning_curve {
            let balanced_accuracy = evaluation.balanced_accuracy.value;
            learning_curve::curve(examples, &folds, balanced_accuracy)
        } else {
            Vec::new()
        },
        evaluation,
        suspicious,
        held_out,
    }
}
