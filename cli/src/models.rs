mod publish;
mod rollback;

use imageclassifier_client::{
    CallError, Classifier, ErrorKind, ModelDescription, ModelState, ModelSummary, Preprocessing,
};
use serde_json::{Value, json};

use crate::{
    args,
    connection::{classifier, first_error_message},
    outcome::Outcome,
};

pub(crate) async fn run(args: &args::Models) -> Outcome {
    match &args.action {
        None => show(args).await,
        Some(args::ModelsAction::Publish(args)) => publish::run(args).await,
        Some(args::ModelsAction::Rollback(args)) => rollback::run(args),
    }
}

async fn show(args: &args::Models) -> Outcome {
    let connection = &args.connection;
    let classifier = match classifier(connection) {
        Ok(classifier) => classifier,
        Err(error) => return Outcome::failure(error),
    };
    let described = async { Ok((classifier.model("").await?, list(&classifier).await?)) };
    match described.await {
        Ok((model, all)) if args.json => json(&model, &all),
        Ok((model, all)) => {
            table(&model);
            table_of_all(&all);
        }
        Err(error) => return Outcome::failure(first_error_message(&error, &connection.servers())),
    }
    Outcome::Success
}

/// Every version of every model; none if the server is too old to list them.
async fn list(classifier: &Classifier) -> Result<Vec<ModelSummary>, CallError> {
    match classifier.list_models().await {
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Vec::new()),
        listed => listed,
    }
}

fn json(model: &ModelDescription, all: &[ModelSummary]) {
    let preprocessing = model.preprocessing.clone().unwrap_or_default();
    let limits = model.limits.clone().unwrap_or_default();
    let description = json!({
        "name": model.name,
        "revision": model.revision,
        "weights_digest": model.weights_digest,
        "classes": model.labels.len(),
        "input_size": model.input_size,
        "preprocessing": {
            "version": preprocessing.version,
            "crop_fraction": preprocessing.crop_fraction,
            "resized_side": preprocessing.resized_side,
            "squash": preprocessing.squash,
            "filter": preprocessing.filter,
            "mean": preprocessing.mean,
            "scale": preprocessing.scale,
            "channels": preprocessing.channels,
            "channel_means": preprocessing.channel_means,
            "channel_scales": preprocessing.channel_scales,
        },
        "limits": {
            "image_bytes_max": limits.image_bytes_max,
            "pixels_max": limits.pixels_max,
            "media_types": limits.media_types,
            "batch_images_max": limits.batch_images_max,
            "message_bytes_max": limits.message_bytes_max,
        },
        "models": all.iter().map(summary).collect::<Vec<_>>(),
    });
    println!("{description}");
}

fn summary(model: &ModelSummary) -> Value {
    json!({
        "name": model.name,
        "version": model.version,
        "revision": model.revision,
        "digest": model.digest,
        "classes": model.classes,
        "base": model.base,
        "state": state(model),
        "error": model.error,
        "is_current": model.is_current,
        "is_default": model.is_default,
        "training": serde_json::from_str(&model.training).unwrap_or(Value::Null),
    })
}

fn state(model: &ModelSummary) -> &'static str {
    match model.state() {
        ModelState::Serving => "serving",
        ModelState::Broken => "broken",
        ModelState::Unloaded => "unloaded",
        ModelState::Unspecified => "unknown",
    }
}

/// A row for each version. The default is marked with *.
fn table_of_all(all: &[ModelSummary]) {
    let name = |model: &ModelSummary| match model.version {
        0 => model.name.clone(),
        version => format!("{}@{version}", model.name),
    };
    let columns = all.iter().map(|model| name(model).len()).max();
    let columns = columns.unwrap_or_default().max("name".len());
    if !all.is_empty() {
        println!("\n  {:columns$}  classes  state     revision", "name");
    }
    for model in all {
        let mark = if model.is_default { "*" } else { " " };
        let (name, classes, state) = (name(model), model.classes, state(model));
        let row = format!(
            "{mark} {name:columns$}  {classes:>7}  {state:8}  {}",
            model.revision
        );
        println!("{}", row.trim_end());
        if !model.error.is_empty() {
            println!("    {}", model.error);
        }
    }
}

/// Version, part of the image, filter and normalisation.
fn steps(preprocessing: &Preprocessing) -> String {
    let Preprocessing {
        version,
        crop_fraction,
        filter,
        mean,
        scale,
        channel_means,
        channel_scales,
        channels,
        squash,
        resized_side,
    } = preprocessing;
    let part = match (squash, resized_side) {
        (true, _) => "whole image".to_owned(),
        (false, 0) => format!("centre {crop_fraction} of the shorter side"),
        (false, side) => format!("shorter side to {side} pixels, then the centre"),
    };
    let normalisation = if *scale > 0.0 {
        format!("(x - {mean}) / {scale}")
    } else {
        format!("{channels}, (x - {channel_means:?}) / {channel_scales:?}")
    };
    format!("version {version}: {part}, {filter}, {normalisation}")
}

fn table(model: &ModelDescription) {
    let preprocessing = model.preprocessing.clone().unwrap_or_default();
    let limits = model.limits.clone().unwrap_or_default();
    for (what, value) in [
        ("model", model.name.clone()),
        ("revision", model.revision.clone()),
        ("weights (SHA-256)", model.weights_digest.clone()),
        ("classes", model.labels.len().to_string()),
        ("input", format!("{0} x {0} pixels", model.input_size)),
        ("preprocessing", steps(&preprocessing)),
        ("largest file", format!("{} bytes", limits.image_bytes_max)),
        ("largest image", format!("{} pixels", limits.pixels_max)),
        ("formats", limits.media_types.join(" ")),
    ] {
        println!("{what:<19}{value}");
    }
}
