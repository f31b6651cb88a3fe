use std::{path::Path, process::ExitCode};

use imageclassifier_client::{
    Answer, CallError, Classifier, ClassifyOptions, ErrorKind, ErrorReason,
};

use crate::{args, output};

/// How a run ended, as the exit status says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    AllClassified,
    SomeFailed,
    CouldNotAsk,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::AllClassified => 0,
            Outcome::SomeFailed => 1,
            Outcome::CouldNotAsk => 2,
        })
    }
}

/// Why one file has no answer.
#[derive(Debug)]
pub(crate) enum FileError {
    Unreadable(std::io::Error),
    Refused(CallError),
}

impl FileError {
    /// Nothing answers at the server's address: asking about further files is no use.
    fn server_is_away(&self) -> bool {
        match self {
            Self::Unreadable(_) => false,
            Self::Refused(error) => {
                error.kind() == ErrorKind::Unavailable && error.reason() == ErrorReason::Unspecified
            }
        }
    }
}

pub(crate) async fn run(args: &args::Classify) -> Outcome {
    let classifier = match Classifier::new(&args.server) {
        Ok(classifier) => classifier,
        Err(error) => {
            eprintln!("imageclassifier: {error}");
            return Outcome::CouldNotAsk;
        }
    };
    let mut outcome = Outcome::AllClassified;
    for file in &args.files {
        let result = classify(&classifier, file, args.top_k).await;
        if let Err(error) = &result {
            if error.server_is_away() {
                eprintln!(
                    "imageclassifier: cannot reach {}: {error}. Is the server running? --server names another one",
                    args.server
                );
                return Outcome::CouldNotAsk;
            }
            eprintln!("imageclassifier: {}: {error}", file.display());
            outcome = Outcome::SomeFailed;
        }
        if args.json {
            output::json(file, &result);
        } else if let Ok(answer) = &result {
            output::text(file, answer);
        }
    }
    outcome
}

async fn classify(classifier: &Classifier, file: &Path, top_k: u32) -> Result<Answer, FileError> {
    let bytes = tokio::fs::read(file).await.map_err(FileError::Unreadable)?;
    let options = ClassifyOptions {
        top_k,
        ..ClassifyOptions::default()
    };
    let answer = classifier.classify(bytes.into(), options).await;
    answer.map_err(FileError::Refused)
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot read the file: {error}"),
            Self::Refused(error) => write!(f, "{error}"),
        }
    }
}
