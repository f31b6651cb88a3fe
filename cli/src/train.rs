//! `imageclassifier train`: a model of your own classes from a folder of photographs.

pub(crate) mod base;
pub(crate) mod dataset;
pub(crate) mod features;
pub(crate) mod predictions;
mod report;

use imageclassifier_model::{Activation, Head, HeadParts};
use imageclassifier_train::{self as train, Evaluation, Examples, Options, Task, Trained};
use serde_json::json;

use crate::{args, model_name::model_name, outcome::Outcome, output_folder::check_output};
use base::Base;
use dataset::Dataset;
use features::{Cache, Features};
use predictions::predictions;
use report::{Images, Subject};

pub(crate) fn run(args: &args::Train) -> Outcome {
    match train_model(args) {
        Ok(unreadable) => Outcome::complete_if(unreadable == 0),
        Err(why) => Outcome::failure(why),
    }
}

/// Returns the number of files that could not be used.
fn train_model(args: &args::Train) -> Result<usize, String> {
    let name = model_name(&args.output)?;
    // The base's classes would be lost.
    let base = args.base.as_ref();
    check_output(
        &args.output,
        base.and_then(args::BaseChoice::path),
        "--base",
    )?;
    let dataset = read_dataset(args)?;
    let base = Base::load(base)?;
    let cache = Cache::open(args.cache.as_deref(), &base)?;
    let found = Features::of(&dataset, &base, &cache);
    let features = found.distinct()?;
    let examples = features.examples(&dataset)?;
    eprintln!(
        "imageclassifier: {} images of {} classes",
        examples.len(),
        examples.classes()
    );
    let options = Options {
        unknown: args.unknown == args::Unknown::Auto,
        learning_curve: true,
    };
    let mut trained = train::train(&examples, options);
    let head = head(&dataset, &examples, &trained);
    let mut unreadable = features.unreadable;
    let validation = match &args.validation {
        None => None,
        Some(folder) => {
            let labelled = Dataset::read_as(folder, &dataset.labels)?;
            Some(Features::of(&labelled, &base, &cache))
        }
    };
    let learned_from = Images {
        root: &dataset.root,
        images: features.images.iter().map(|it| &it.image).collect(),
    };
    let mut measured_on = learned_from.clone();
    if let (Some(folder), Some(validation)) = (&args.validation, &validation) {
        unreadable += validation.unreadable;
        measured_on.root = folder;
        (measured_on.images, trained.held_out) = predictions(&head, validation).unzip();
        if trained.held_out.is_empty() {
            return Err(format!("{} has no usable images", folder.display()));
        }
        let (task, classes) = (examples.task(), examples.classes());
        trained.evaluation = Evaluation::of(task, classes, &trained.held_out);
    }
    let training = training(args, &examples, &trained);
    base.write_model(&args.output, &name, head.clone(), training)?;
    let subject = Subject {
        name: &name,
        base: &base,
        head: &head,
        task: examples.task(),
        trained: &trained,
        learned_from,
        measured_on,
        evaluated_on: evaluated_on(args, &trained),
        unreadable,
    };
    report::write(&subject, &args.output)?;
    print_summary(args, &dataset, &trained);
    Ok(unreadable)
}

fn read_dataset(args: &args::Train) -> Result<Dataset, String> {
    match (&args.folder, &args.csv) {
        (Some(folder), None) => Dataset::read(folder),
        (_, Some(csv)) => Dataset::read_csv(csv),
        (None, None) => unreachable!("the options require one of them"),
    }
}

fn head(dataset: &Dataset, examples: &Examples, trained: &Trained) -> Head {
    let train::Head {
        weight,
        bias,
        class_means,
        temperature,
        known_threshold,
    } = trained.head.clone();
    let parts = HeadParts {
        labels: dataset.labels.clone(),
        activation: match examples.task() {
            Task::SingleLabel => Activation::Softmax,
            Task::MultiLabel => Activation::Sigmoid,
        },
        weight,
        bias,
        class_means,
        temperature,
        known_threshold,
    };
    Head::new(parts, examples.channels()).expect("a trained head fits its examples")
}

/// What `config.json` says about the training. Nothing that differs from run to run.
fn training(args: &args::Train, examples: &Examples, trained: &Trained) -> serde_json::Value {
    json!({
        "images": examples.len(),
        "evaluated_on": evaluated_on(args, trained),
        "accuracy": trained.evaluation.accuracy.value,
        "balanced_accuracy": trained.evaluation.balanced_accuracy.value,
        "ece": trained.evaluation.calibration.ece,
        "unknown": args.unknown == args::Unknown::Auto,
    })
}

fn evaluated_on(args: &args::Train, trained: &Trained) -> &'static str {
    if args.validation.is_some() {
        "validation folder"
    } else if trained.leave_one_out {
        "each image left out once"
    } else {
        "5 stratified folds"
    }
}

fn print_summary(args: &args::Train, dataset: &Dataset, trained: &Trained) {
    let Evaluation {
        accuracy,
        balanced_accuracy,
        calibration,
        ..
    } = &trained.evaluation;
    println!(
        "accuracy           {:.1} % (95 % confidence: {:.1} to {:.1} %), {}",
        accuracy.value * 100.0,
        accuracy.low * 100.0,
        accuracy.high * 100.0,
        evaluated_on(args, trained)
    );
    println!(
        "balanced accuracy  {:.1} %",
        balanced_accuracy.value * 100.0
    );
    println!("calibration error  {:.3}", calibration.ece);
    if let Some(confusion) = &trained.evaluation.confusion {
        for (label, predicted, count) in confusion.worst_pairs().into_iter().take(3) {
            println!(
                "often confused     {} taken for {}: {count}",
                dataset.labels[label], dataset.labels[predicted]
            );
        }
    }
    println!("wrote {}", args.output.display());
}
