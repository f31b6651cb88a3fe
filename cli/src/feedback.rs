use std::fmt::Display;

use imageclassifier_client::with_retries;

use crate::{
    args,
    connection::{RETRIES, classifier, fatal_message, first_error_message, image_bytes_max},
    inputs::Input,
    outcome::Outcome,
};

/// Sends each image with its label.
pub(crate) async fn run(args: &args::Feedback) -> Outcome {
    let connection = &args.connection;
    let classifier = match classifier(connection) {
        Ok(classifier) => classifier,
        Err(error) => return Outcome::failure(error),
    };
    let bytes_max = match with_retries(RETRIES, || image_bytes_max(&classifier, "")).await {
        Ok(bytes_max) => bytes_max,
        Err(error) => return Outcome::failure(first_error_message(&error, &connection.servers())),
    };
    let sending = classifier.with_retries(RETRIES);
    let mut kept = 0;
    let inputs = Input::from_arguments(&args.files);
    for input in &inputs {
        let report = |why: &dyn Display| eprintln!("imageclassifier: {}: {why}", input.name());
        let image = match input.read(bytes_max).await {
            Ok(image) => image,
            Err(error) => {
                report(&error);
                continue;
            }
        };
        match sending.feedback(image, &args.label).await {
            Ok(()) => kept += 1,
            Err(error) => match fatal_message(&error, &connection.servers()) {
                Some(message) => return Outcome::failure(message),
                None => report(&error),
            },
        }
    }
    println!("{kept} of {} images kept as {}", inputs.len(), args.label);
    if kept == 0 {
        return Outcome::Failure;
    }
    Outcome::complete_if(kept == inputs.len())
}
