//! Logistic regression on burn: a linear layer, cross-entropy, an L2 penalty, and L-BFGS.

use burn::{
    Tensor,
    module::{Module, Param},
    optim::{GradientsParams, LBFGSConfig, LineSearchFn},
    tensor::{
        Device, TensorData,
        activation::{log_sigmoid, log_softmax},
    },
};

use crate::examples::{Examples, Task};

/// Inverse strength of the penalty, as scikit-learn's `LogisticRegression(C=30)`: features of length 1 need large weights. From 10 to
/// 300 it makes no difference that could be measured on 5 to 100 examples per class.
const C: f64 = 30.0;
/// The objective is convex; more iterations no longer change a held-out prediction.
const ITERATIONS_MAX: usize = 100;
/// More history costs more than it saves.
const HISTORY: usize = 10;
const GRADIENT_TOLERANCE: f64 = 1e-5;
const LOSS_TOLERANCE: f64 = 1e-7;

/// A linear layer: logits = features · weight + bias.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Linear {
    /// `[classes, channels]`.
    pub(crate) weight: Vec<f32>,
    /// `[classes]`.
    pub(crate) bias: Vec<f32>,
}

#[derive(Module, Debug)]
struct Layer {
    /// `[channels, classes]`.
    weight: Param<Tensor<2>>,
    /// `[1, classes]`.
    bias: Param<Tensor<2>>,
}

/// Fits a linear layer to the `chosen` examples. The same examples in the same order give the same bits.
pub(crate) fn fit(examples: &Examples, chosen: &[usize]) -> Linear {
    let device = Device::flex();
    let (channels, classes) = (examples.channels(), examples.classes());
    let features: Vec<f32> = chosen
        .iter()
        .flat_map(|&example| examples.features(example).iter().copied())
        .collect();
    let weights = class_weights(examples, chosen);
    let mut targets = vec![0.0_f32; chosen.len() * classes];
    for (row, &example) in targets.chunks_exact_mut(classes).zip(chosen) {
        examples
            .labels(example)
            .iter()
            .for_each(|&class| row[class] = weights[class]);
    }
    let matrix = |values, columns| {
        let data = TensorData::new(values, [chosen.len(), columns]);
        Tensor::<2>::from_data(data, &device.clone().autodiff())
    };
    let (features, targets) = (matrix(features, channels), matrix(targets, classes));
    let zeros = |rows| {
        let zeros = Tensor::zeros([rows, classes], &device.clone().autodiff());
        Param::from_tensor(zeros)
    };
    let layer = Layer {
        weight: zeros(channels),
        bias: zeros(1),
    };
    let mut optimizer = LBFGSConfig::new()
        .with_max_iter(ITERATIONS_MAX)
        .with_max_eval(Some(2 * ITERATIONS_MAX))
        .with_history_size(HISTORY)
        .with_tolerance_grad(GRADIENT_TOLERANCE)
        .with_tolerance_change(LOSS_TOLERANCE)
        .with_line_search_fn(LineSearchFn::StrongWolfe)
        .init();
    let penalty = 0.5 / (C * chosen.len() as f64);
    let task = examples.task();
    let (layer, _) = optimizer.step(1.0, layer, |layer: Layer| {
        let logits = features.clone().matmul(layer.weight.val()) + layer.bias.val();
        let squares = layer.weight.val().powi_scalar(2).sum();
        let loss = cross_entropy(task, logits, targets.clone()) + squares.mul_scalar(penalty);
        let gradients = GradientsParams::from_grads(loss.backward(), &layer);
        (loss.into_scalar::<f64>(), gradients)
    });
    let values = |tensor: Tensor<2>| {
        let data = tensor.inner().into_data();
        data.try_to_vec().expect("the layer is f32")
    };
    Linear {
        weight: values(layer.weight.val().transpose()),
        bias: values(layer.bias.val()),
    }
}

/// How much an example of each class counts, so that all classes count alike: a class of twelve photographs beside one of 84 would
/// hardly be predicted (scikit-learn's `class_weight="balanced"`). 1 where an image can have several classes.
fn class_weights(examples: &Examples, chosen: &[usize]) -> Vec<f32> {
    let mut counts = vec![0_u16; examples.classes()];
    for &example in chosen {
        for &class in examples.labels(example) {
            counts[class] = counts[class].saturating_add(1);
        }
    }
    let mean = chosen.len() as f64 / examples.classes() as f64;
    #[allow(clippy::cast_possible_truncation, reason = "a ratio of counts")]
    let weight = |count: u16| match examples.task() {
        Task::SingleLabel => (mean / f64::from(count.max(1))) as f32,
        Task::MultiLabel => 1.0,
    };
    counts.into_iter().map(weight).collect()
}

/// The mean over the examples. Of several labels' cross-entropies the sum counts.
///
/// # Shapes
/// - logits, targets: `[examples, classes]`; a target is the weight of the example's class, or 0
fn cross_entropy(task: Task, logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let [examples, _] = logits.dims();
    let likelihoods = match task {
        Task::SingleLabel => targets * log_softmax(logits, 1),
        Task::MultiLabel => {
            let absent = targets.clone().mul_scalar(-1.0).add_scalar(1.0);
            targets * log_sigmoid(logits.clone()) + absent * log_sigmoid(logits.neg())
        }
    };
    likelihoods.sum().div_scalar(-(examples as f64))
}

impl Linear {
    /// Logits `[classes]` of `features`, `[channels]`.
    pub(crate) fn logits(&self, features: &[f32]) -> Vec<f32> {
        let rows = self.weight.chunks_exact(features.len());
        rows.zip(&self.bias)
            .map(|(row, bias)| dot(row, features) + bias)
            .collect()
    }
}

/// Keeps one sum per lane of a vector: with a single sum, each addition would wait for the previous one.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (x, y) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(x, y)| x * y);
    sums.into_iter().chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes that mirror each other at 45 degrees, one with seven times as many examples.
    #[test]
    fn a_small_class_counts_as_much_as_a_large_one() {
        let spread = |count: u8, from: f32| {
            (0..count).map(move |index| {
                let degrees = from + 55.0 * f32::from(index) / f32::from(count - 1);
                let (sine, cosine) = degrees.to_radians().sin_cos();
                [cosine, sine]
            })
        };
        let large = spread(70, 0.0).map(|features| (features.to_vec(), vec![0]));
        let small = spread(10, 35.0).map(|features| (features.to_vec(), vec![1]));
        let examples = Examples::new(Task::SingleLabel, 2, large.chain(small)).unwrap();
        let linear = fit(&examples, &(0..80).collect::<Vec<_>>());
        let predicted = |degrees: f32| {
            let (sine, cosine) = degrees.to_radians().sin_cos();
            let logits = linear.logits(&[cosine, sine]);
            usize::from(logits[1] > logits[0])
        };
        assert_eq!([predicted(42.0), predicted(48.0)], [0, 1]);
    }
}
