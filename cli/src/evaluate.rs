//! `imageclassifier evaluate`: how good a model is on labelled photographs.

use imageclassifier_model::{Activation, Head, ModelFolder};
use imageclassifier_train::{Evaluation, Task};

use crate::{
    args,
    local::network::LocalNetwork,
    outcome::Outcome,
    train::{
        check_base,
        dataset::Dataset,
        features::{Cache, Features},
        predictions::predictions,
    },
};

pub(crate) fn run(args: &args::Evaluate) -> Outcome {
    match evaluate(args) {
        Ok((evaluation, labels, unreadable)) => {
            print(args, &evaluation, &labels);
            Outcome::complete_if(unreadable == 0)
        }
        Err(why) => Outcome::failure(why),
    }
}

fn evaluate(args: &args::Evaluate) -> Result<(Evaluation, Vec<String>, usize), String> {
    let folder = ModelFolder::read(&args.model).map_err(|error| error.to_string())?;
    let network = LocalNetwork::load(args.base.as_deref())?;
    check_base(network.weights(), &folder)?;
    let parts = folder.head().parts();
    let dataset = Dataset::read_as(&args.folder, &parts.labels)?;
    let cache = Cache::open(args.cache.as_deref(), network.weights())?;
    let features = Features::of(&dataset, &network, &cache);
    let (_, predictions): (Vec<_>, Vec<_>) = predictions(folder.head(), &features).unzip();
    if predictions.is_empty() {
        return Err(format!("{} has no usable images", args.folder.display()));
    }
    let evaluation = Evaluation::of(task(folder.head()), parts.labels.len(), &predictions);
    Ok((evaluation, parts.labels.clone(), features.unreadable))
}

fn task(head: &Head) -> Task {
    match head.parts().activation {
        Activation::Softmax => Task::SingleLabel,
        Activation::Sigmoid => Task::MultiLabel,
    }
}

fn print(args: &args::Evaluate, evaluation: &Evaluation, labels: &[String]) {
    if args.json {
        let json = serde_json::json!({ "labels": labels, "evaluation": evaluation });
        println!("{json}");
        return;
    }
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let Evaluation {
        images,
        accuracy,
        balanced_accuracy,
        calibration,
        ..
    } = evaluation;
    println!("images             {images}");
    println!(
        "accuracy           {} (95 % confidence: {} to {})",
        percent(accuracy.value),
        percent(accuracy.low),
        percent(accuracy.high)
    );
    println!("balanced accuracy  {}", percent(balanced_accuracy.value));
    println!("calibration error  {:.3}", calibration.ece);
    println!(
        "\n{:>9}  {:>9}  {:>7}  class",
        "precision", "recall", "images"
    );
    for (class, label) in evaluation.classes.iter().zip(labels) {
        println!(
            "{:>9}  {:>9}  {:>7}  {label}",
            percent(class.precision.value),
            percent(class.recall.value),
            class.images
        );
    }
}
