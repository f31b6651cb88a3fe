use crate::Task;

/// The probability of each class, from its logits divided by `temperature`.
pub(crate) fn probabilities(task: Task, logits: &[f32], temperature: f64) -> Vec<f64> {
    let scaled = logits.iter().map(|&logit| f64::from(logit) / temperature);
    match task {
        Task::MultiLabel => scaled.map(|logit| 1.0 / (1.0 + (-logit).exp())).collect(),
        Task::SingleLabel => {
            let largest = scaled.clone().fold(f64::NEG_INFINITY, f64::max);
            let exponentials: Vec<_> = scaled.map(|logit| (logit - largest).exp()).collect();
            let sum: f64 = exponentials.iter().sum();
            exponentials.into_iter().map(|value| value / sum).collect()
        }
    }
}
