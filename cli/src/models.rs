use imageclassifier_client::ModelDescription;
use serde_json::json;

use crate::{
    args,
    connection::{classifier, first_error_message},
    outcome::Outcome,
};

pub(crate) async fn run(args: &args::Models) -> Outcome {
    let connection = &args.connection;
    let classifier = match classifier(connection) {
        Ok(classifier) => classifier,
        Err(error) => return Outcome::failure(error),
    };
    match classifier.model("").await {
        Ok(model) if args.json => json(&model),
        Ok(model) => table(&model),
        Err(error) => return Outcome::failure(first_error_message(&error, &connection.server)),
    }
    Outcome::Success
}

fn json(model: &ModelDescription) {
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
            "filter": preprocessing.filter,
            "mean": preprocessing.mean,
            "scale": preprocessing.scale,
        },
        "limits": {
            "image_bytes_max": limits.image_bytes_max,
            "pixels_max": limits.pixels_max,
            "media_types": limits.media_types,
            "batch_images_max": limits.batch_images_max,
            "message_bytes_max": limits.message_bytes_max,
        },
    });
    println!("{description}");
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
        (
            "preprocessing",
            format!(
                "version {}: centre {} of the shorter side, {}, (x - {}) / {}",
                preprocessing.version,
                preprocessing.crop_fraction,
                preprocessing.filter,
                preprocessing.mean,
                preprocessing.scale
            ),
        ),
        ("largest file", format!("{} bytes", limits.image_bytes_max)),
        ("largest image", format!("{} pixels", limits.pixels_max)),
        ("formats", limits.media_types.join(" ")),
    ] {
        println!("{what:<19}{value}");
    }
}
