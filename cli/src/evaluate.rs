//! `imageclassifier evaluate`: how good a model is on labelled photographs.

use std::path::Path;

use imageclassifier_model::{Activation, Head};
use imageclassifier_train::{Evaluation, Interval, Prediction, Task, UnknownEvaluation};
use serde_json::json;

use crate::{
    args,
    outcome::Outcome,
    train::{
        base::Base,
        dataset::Dataset,
        features::{Cache, Features},
        predictions::predictions,
    },
};

pub(crate) fn run(args: &args::Evaluate) -> Outcome {
    match evaluate(args) {
        Ok(result) => {
            print(args, &result);
            Outcome::complete_if(result.unreadable == 0)
        }
        Err(why) => Outcome::failure(why),
    }
}

struct Evaluated {
    labels: Vec<String>,
    evaluation: Evaluation,
    unknown: Option<UnknownEvaluation>,
    unreadable: usize,
}

fn evaluate(args: &args::Evaluate) -> Result<Evaluated, String> {
    let (base, head) = Base::of_trained(&args.model, args.base.as_ref())?;
    let parts = head.parts();
    let cache = Cache::open(args.cache.as_deref(), &base)?;
    let mut unreadable = 0;
    let mut measure = |dataset: Dataset, folder: &Path| {
        let features = Features::of(&dataset, &base, &cache);
        unreadable += features.unreadable;
        let (_, predictions): (Vec<_>, Vec<_>) = predictions(&head, &features).unzip();
        if predictions.is_empty() {
            return Err(format!("{} has no usable images", folder.display()));
        }
        Ok(predictions)
    };
    let known = Dataset::read_as(&args.folder, &parts.labels)?;
    let known = measure(known, &args.folder)?;
    let unknown = match &args.unknown {
        None => None,
        Some(folder) => {
            let unknown = Dataset::read_unknown(folder, &parts.labels)?;
            let (known, unknown) = (scores(&known), scores(&measure(unknown, folder)?));
            let threshold = parts.known_threshold;
            Some(UnknownEvaluation::of(&known, &unknown, threshold))
        }
    };
    Ok(Evaluated {
        evaluation: Evaluation::of(task(&head), parts.labels.len(), &known),
        labels: parts.labels.clone(),
        unknown,
        unreadable,
    })
}

fn scores(predictions: &[Prediction]) -> Vec<f32> {
    predictions.iter().map(|it| it.known_score).collect()
}

fn task(head: &Head) -> Task {
    match head.parts().activation {
        Activation::Softmax => Task::SingleLabel,
        Activation::Sigmoid => Task::MultiLabel,
    }
}

fn print(args: &args::Evaluate, result: &Evaluated) {
    let Evaluated {
        labels,
        evaluation,
        unknown,
        unreadable: _,
    } = result;
    if args.json {
        let json = json!({ "labels": labels, "evaluation": evaluation, "unknown": unknown });
        println!("{json}");
        return;
    }
    println!("images             {}", evaluation.images);
    println!("accuracy           {}", interval(evaluation.accuracy));
    println!(
        "balanced accuracy  {}",
        interval(evaluation.balanced_accuracy)
    );
    println!("calibration error  {:.3}", evaluation.calibration.ece);
    if let Some(unknown) = unknown {
        println!("unknown AUROC      {:.3}", unknown.auroc);
        println!("FPR at 95 % known  {}", percent(unknown.fpr_at_95));
        if let (Some(kept), Some(found)) = (unknown.known_kept, unknown.unknown_found) {
            println!("known kept         {}", interval(kept));
            println!("unknown found      {}", interval(found));
        }
    }
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

fn interval(share: Interval) -> String {
    let [value, low, high] = [share.value, share.low, share.high].map(percent);
    format!("{value} (95 % confidence: {low} to {high})")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
