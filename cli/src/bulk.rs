//! Bulk classification: images in the order of their names, results in objects that are written once. The last image in the last
//! object is the checkpoint: a rerun continues after it.

mod finished;
mod listing;
mod parquet;
mod part;
mod remaining;
mod rows;
mod shard_choice;
mod sources;
mod writer;

use std::{env, pin::pin};

use futures_util::{StreamExt, future, stream};
use imageclassifier_client::{Answer, ClassifyOptions};

use self::{
    finished::Finished, listing::listing, remaining::Remaining, sources::Sources, writer::Writer,
};
use crate::{
    args,
    backend::Backend,
    file_error::FileError,
    inputs::Input,
    outcome::Outcome,
    pipeline::{in_order, outcomes},
    storage::{Folder, Location, Stores},
};

/// This many images in a row that fail for reasons of the server or the storage end the run: there is an outage, and a rerun
/// should try them again. Fewer, with others after them, are reported like images that cannot be decoded.
const FAILURES_IN_A_ROW_MAX: usize = 20;

/// Classifies the images of one shard, and writes their results into the folder `output`.
pub(crate) async fn run(args: &args::Classify, output: &str) -> Outcome {
    match try_run(args, output).await {
        Ok(outcome) => outcome,
        Err(why) => Outcome::failure(why),
    }
}

async fn try_run(args: &args::Classify, output: &str) -> Result<Outcome, String> {
    let index = env::var("JOB_COMPLETION_INDEX").ok();
    let shard = shard_choice::shard(args.bulk.shard, args.bulk.shards, index.as_deref())?;
    let mut stores = Stores::default();
    let sources = Sources::new(&args.files, &mut stores)?;
    let folder = output_folder(output, &mut stores)?;
    let finished = Finished::read(&folder, shard, args.bulk.format).await?;
    let backend = Backend::connect(args).await?;
    let remaining = Remaining::new(listing(sources), shard, finished.last.clone());
    let progress = remaining.progress();
    let writer = Writer::new(
        folder,
        shard,
        args.bulk.format,
        args.bulk.rows_per_object,
        finished.parts,
    );
    let mut run = Run {
        writer,
        held: Vec::new(),
        rows: 0,
        failed: 0,
    };
    let options = ClassifyOptions {
        top_k: args.top_k,
        model: args.model.clone(),
        explain: false,
    };
    let stopped = run.classify(&backend, remaining, options).await;
    let failed = run.failed;
    let (rows, written) = run.writer.finish().await;
    stopped.and(written).map_err(|why| {
        format!("{why}\n{rows} images are finished. Run the same command again to continue")
    })?;
    Ok(report(rows, failed, &finished, progress.skipped()))
}

/// Where the results go.
fn output_folder(output: &str, stores: &mut Stores) -> Result<Folder, String> {
    // With the slashes of `s3://`, a URL without a bucket would lose what makes it one.
    let (scheme, path) = match output.find("://") {
        Some(end) => output.split_at(end + "://".len()),
        None => ("", output),
    };
    let path = path.trim_end_matches('/');
    if path.ends_with(".jsonl") || path.ends_with(".parquet") {
        return Err(format!(
            "--output is a folder, not a file: give --output FOLDER/ and --format instead of {output}"
        ));
    }
    match Location::parse(&format!("{scheme}{path}/")).transpose()? {
        None => Stores::local_folder(if output.starts_with('/') && path.is_empty() {
            "/"
        } else {
            path
        }),
        Some(location) if location.is_web() => Err(format!(
            "cannot write to {output}: --output takes s3://, gs://, az:// or a local folder"
        )),
        Some(location) => stores.folder(location),
    }
}

fn report(rows: u64, failed: u64, finished: &Finished, skipped: u64) -> Outcome {
    let before = finished.rows;
    eprintln!("imageclassifier: {rows} images finished, {before} were finished before");
    if failed > 0 {
        eprintln!("imageclassifier: {failed} images were not classified: their rows say why");
    }
    let late = skipped.saturating_sub(before);
    if late > 0 {
        eprintln!(
            "imageclassifier: {late} images have been added with names before the last finished one, and are not in the results: classify all images into another --output"
        );
    }
    Outcome::complete_if(failed == 0 && late == 0)
}

/// The results of one process, in the order of the images.
struct Run {
    writer: Writer,
    /// Failures that may be those of an outage.
    held: Vec<(String, FileError)>,
    rows: u64,
    failed: u64,
}

impl Run {
    /// Classifies the images and writes their rows.
    ///
    /// # Errors
    /// If the server or the storage fails, so that further images would fail too. The rows before are kept.
    async fn classify(
        &mut self,
        backend: &Backend,
        remaining: Remaining,
        options: ClassifyOptions,
    ) -> Result<(), String> {
        let progress = remaining.progress();
        let images = remaining.into_stream();
        let mut results = pin!(in_order(backend, images, options.clone()));
        while let Some(result) = results.next().await {
            let (pending, outcome) = result.map_err(|fatal| fatal.message)?;
            self.take(pending.input.name(), outcome).await?;
        }
        progress.error()?;
        self.end(backend, progress.take_finished(), options).await
    }

    /// Failures at the end are left to a rerun, which may find them gone. They are written when there was nothing else to do, and
    /// one of the `finished` images can be read: else they would stop every rerun.
    ///
    /// # Errors
    /// If there are failures that are not written.
    async fn end(
        &mut self,
        backend: &Backend,
        finished: Vec<Input>,
        options: ClassifyOptions,
    ) -> Result<(), String> {
        let Some((name, error)) = self.held.first() else {
            return Ok(());
        };
        if self.rows > 0 {
            let count = self.held.len();
            return Err(format!(
                "the last {count} images could not be classified. The first is {name}: {error}"
            ));
        }
        let again = outcomes(backend, stream::iter(finished), options);
        let works = again.any(|(_, outcome)| {
            future::ready(match outcome {
                Ok(_) => true,
                Err(error) => error.is_permanent(),
            })
        });
        if !works.await {
            return Err(format!("no image could be classified: {name}: {error}"));
        }
        self.release().await
    }

    async fn take(&mut self, name: &str, outcome: Result<Answer, FileError>) -> Result<(), String> {
        match outcome {
            Err(error) if !error.is_permanent() => {
                self.held.push((name.to_owned(), error));
                if self.held.len() < FAILURES_IN_A_ROW_MAX {
                    return Ok(());
                }
                let (name, error) = &self.held[0];
                Err(format!(
                    "{FAILURES_IN_A_ROW_MAX} images in a row could not be classified. The first is {name}: {error}"
                ))
            }
            outcome => {
                self.release().await?;
                self.write(name, &outcome).await
            }
        }
    }

    /// Writes the failures that were not those of an outage.
    async fn release(&mut self) -> Result<(), String> {
        for (name, error) in std::mem::take(&mut self.held) {
            self.write(&name, &Err(error)).await?;
        }
        Ok(())
    }

    async fn write(
        &mut self,
        name: &str,
        outcome: &Result<Answer, FileError>,
    ) -> Result<(), String> {
        if let Err(error) = outcome {
            self.failed += 1;
            eprintln!("imageclassifier: {name}: {error}");
        }
        self.rows += 1;
        self.writer.write(name, outcome).await
    }
}
