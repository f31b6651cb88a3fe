use std::{error::Error, path::Path, process::ExitCode};

use imageclassifier_client::{
    Answer, CallError, Classifier, ClassifyOptions, ErrorKind, ErrorReason,
};

use crate::{args, output, token};

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
    /// Why asking about further files is no use, and what may help.
    fn ends_everything(&self, server: &str) -> Option<String> {
        let Self::Refused(error) = self else {
            return None;
        };
        match (error.kind(), error.reason()) {
            (ErrorKind::Unavailable, ErrorReason::Unspecified) => Some(format!(
                "cannot reach {server}: {error}. Is the server running? --server names another one"
            )),
            (ErrorKind::Unauthenticated, _) => Some(format!(
                "{server} does not let us in: {error}. --token-file names a file with an access token"
            )),
            _ => None,
        }
    }
}

pub(crate) async fn run(args: &args::Classify) -> Outcome {
    let classifier = match classifier(args) {
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
            if let Some(reason) = error.ends_everything(&args.server) {
                eprintln!("imageclassifier: {reason}");
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

fn classifier(args: &args::Classify) -> Result<Classifier, Box<dyn Error + '_>> {
    let classifier = Classifier::new(&args.server)?;
    match &args.token_file {
        Some(file) => Ok(token::present(classifier, file)?),
        None => Ok(classifier),
    }
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
