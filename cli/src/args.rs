mod bulk;
mod classify;
mod connection;
mod feedback;
mod import;
mod models;
mod train;

use clap::{Parser, Subcommand};

pub(crate) use self::{
    bulk::Format,
    classify::Classify,
    connection::Connection,
    feedback::Feedback,
    import::{Import, ImportFilter, Inspect, Preset},
    models::{Models, ModelsAction, Publish, Rollback},
    train::{BaseChoice, Embed, Evaluate, Train, Unknown},
};

/// Classifies images with an imageclassifier server, or without one.
#[derive(Debug, Parser)]
#[command(name = "imageclassifier", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Classify(Classify),
    Train(Train),
    Evaluate(Evaluate),
    Embed(Embed),
    Import(Import),
    Inspect(Inspect),
    Models(Models),
    Feedback(Feedback),
    Health(Health),
}

/// Check whether the server is ready
///
/// Of several servers, all are asked at once, and it is enough if one is ready.
///
/// Exit status: 0 if it is, 1 if it is starting or stopping, 2 if it is unreachable.
#[derive(Debug, clap::Args)]
pub(crate) struct Health {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// Wait until the server is ready, at most --timeout
    #[arg(long)]
    pub(crate) wait: bool,
}

/// `UPDATE_GENERATED=1` regenerates the files.
#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use clap::CommandFactory;
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn man_pages_and_completions_match_the_options() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let man = tempfile::tempdir().unwrap();
        // The server's too: its own tests would have to compile the generator once more.
        for command in [Args::command(), imageclassifier_server::Config::command()] {
            clap_mangen::generate_to(command, man.path()).unwrap();
        }
        check(man.path(), &repository.join("docs/man"));

        let completions = tempfile::tempdir().unwrap();
        for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
            clap_complete::generate_to(
                shell,
                &mut Args::command(),
                "imageclassifier",
                completions.path(),
            )
            .unwrap();
        }
        check(completions.path(), &repository.join("cli/completions"));
    }

    fn check(generated: &Path, committed: &Path) {
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            let _ = fs::remove_dir_all(committed);
            fs::create_dir_all(committed).unwrap();
            for file in files(generated) {
                fs::copy(generated.join(&file), committed.join(file)).unwrap();
            }
        }
        assert_eq!(files(generated), files(committed));
        for file in files(generated) {
            let same = fs::read(generated.join(&file)).unwrap()
                == fs::read(committed.join(&file)).unwrap();
            assert!(same, "{file:?} is stale: run `cargo xtask generate`");
        }
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into())
            .collect();
        names.sort();
        names
    }
}
