use std::{fs, io, path::Path};

use bytes::Bytes;
use imageclassifier_client::with_retries;
use imageclassifier_model::ImportedModel;

use crate::{
    args,
    connection::{RETRIES, classifier, first_error_message},
    model_name::model_name,
    outcome::Outcome,
};

/// The files of a model folder, and whether a model works without.
const FILES: [(&str, bool); 5] = [
    ("config.json", true),
    ("model.safetensors", true),
    ("report.json", false),
    ("report.html", false),
    ("LICENSE", false),
];

/// Uploads the folder, and prints which version it has become.
pub(crate) async fn run(args: &args::Publish) -> Outcome {
    if args.connection.server.len() > 1 {
        return Outcome::failure(
            "a model is published to one server at a time: give one URL with --server, and publish to each server by itself",
        );
    }
    let files = match read(&args.folder) {
        Ok(files) => files,
        Err(why) => return Outcome::failure(why),
    };
    let name = match args
        .name
        .clone()
        .map_or_else(|| folder_name(&args.folder), Ok)
    {
        Ok(name) => name,
        Err(why) => return Outcome::failure(format!("{why}: give one with --name")),
    };
    let connection = &args.connection;
    let classifier = match classifier(connection) {
        Ok(classifier) => classifier,
        Err(error) => return Outcome::failure(error),
    };
    let version = args.version.unwrap_or_default();
    let publish = || classifier.publish(&name, version, files.clone());
    match with_retries(RETRIES, publish).await {
        Ok(model) => {
            println!("{}@{}: {}", model.name, model.version, model.revision);
            Outcome::Success
        }
        Err(error) => Outcome::failure(first_error_message(&error, &connection.servers())),
    }
}

fn read(folder: &Path) -> Result<Vec<(String, Bytes)>, String> {
    if ImportedModel::is_at(folder) {
        return Err(format!(
            "{} has its own network, and such models cannot be published: copy the folder into the server's --models",
            folder.display()
        ));
    }
    let mut files = Vec::new();
    for (name, required) in FILES {
        let path = folder.join(name);
        match fs::read(&path) {
            Ok(contents) => files.push((name.to_owned(), contents.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !required => {}
            Err(error) => {
                return Err(format!(
                    "cannot read {}: {error}. Give a folder that `imageclassifier train` wrote",
                    path.display()
                ));
            }
        }
    }
    Ok(files)
}

/// The name of the model in the folder, also in `.` and `models/pets/..`.
fn folder_name(folder: &Path) -> Result<String, String> {
    let absolute = fs::canonicalize(folder);
    model_name(&absolute.unwrap_or_else(|_| folder.to_owned()))
}
