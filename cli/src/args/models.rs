use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use crate::args::connection::Connection;

/// Show the server's models, and the preprocessing and limits of the default one
///
/// Exit status: 0 on success, 2 if the server is unreachable or rejects the request.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Models {
    #[command(subcommand)]
    pub(crate) action: Option<ModelsAction>,

    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsAction {
    Publish(Publish),
    Rollback(Rollback),
}

/// Upload a model folder to the server, as a new version of the model
///
/// The server tries the model before it serves it; one that does not work changes nothing. The server must run with --models, and
/// the access token must be allowed to publish. Give one server: publish to each of several by itself.
///
/// Exit status: 0 on success, 2 if the model is not published.
#[derive(Debug, clap::Args)]
pub(crate) struct Publish {
    /// Folder that `train` wrote
    #[arg(value_name = "MODEL_DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,

    /// Name of the model [default: the folder's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Number of the version, above the highest one [default: the next]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) version: Option<u64>,

    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Serve the previous version of a model again
///
/// Renames the folder of the highest version in DIR/NAME so that servers no longer see it: 3 becomes .rolled-back-3. Servers
/// with --models DIR notice it within seconds. To undo it, rename the folder back.
///
/// Exit status: 0 on success, 2 if there is no previous version.
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// Name of the model
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Folder of the models, as for imageclassifier-server
    #[arg(long, env = "IMAGECLASSIFIER_MODELS", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) models: PathBuf,
}
