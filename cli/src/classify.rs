use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    pin::pin,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use imageclassifier_client::{Answer, ClassifyOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    args,
    backend::Backend,
    heatmap::Heatmaps,
    inputs::{FileError, Input},
    outcome::Outcome,
    output::Output,
    progress::Progress,
};

/// Images between reading and output, at most. More than a stream has in flight, so that a slow image does not stall those
/// behind it, whose results wait for it; few enough that waiting results take little memory.
const PENDING_MAX: usize = 64;

/// An image that has been read and not yet reported.
struct Pending {
    index: usize,
    /// Kept where a heatmap is drawn over it.
    image: Option<Bytes>,
    _permit: OwnedSemaphorePermit,
}

pub(crate) async fn run(args: &args::Classify) -> Outcome {
    let backend = match Backend::connect(args).await {
        Ok(backend) => backend,
        Err(why) => return Outcome::failure(why),
    };
    let heatmaps = match args.explain.as_deref().map(Heatmaps::create).transpose() {
        Ok(heatmaps) => heatmaps,
        Err(why) => return Outcome::failure(why),
    };
    let inputs = Input::from_arguments(&args.files);
    let mut report = Report {
        output: Output::new(args, &inputs),
        heatmaps,
        progress: Progress::new(inputs.len()),
        failed: 0,
    };
    let options = ClassifyOptions {
        top_k: args.top_k,
        model: args.model.clone(),
        explain: args.explain.is_some(),
    };
    match report.run(&backend, &inputs, options).await {
        Ok(()) => report.outcome(inputs.len()),
        // The reader of the output has closed it.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Outcome::Partial,
        Err(error) => Outcome::failure(format!("cannot write the output: {error}")),
    }
}

/// The result of each image, in any order. An image is read when a permit is free, and holds it until it is dropped.
fn outcomes<'a>(
    backend: &Backend,
    inputs: &'a [Input],
    options: ClassifyOptions,
) -> impl Stream<Item = (Pending, Result<Answer, FileError>)> + 'a {
    let bytes_max = backend.image_bytes_max();
    let keeps_image = options.explain;
    // Bounded by the permits.
    let (send, mut unreadable) = mpsc::unbounded_channel();
    let permits = Arc::new(Semaphore::new(PENDING_MAX));
    let state = (inputs.iter().enumerate(), send, permits);
    let images = stream::unfold(state, move |(mut inputs, send, permits)| async move {
        loop {
            let (index, input) = inputs.next()?;
            let permit = Arc::clone(&permits).acquire_owned().await;
            let mut pending = Pending {
                index,
                image: None,
                _permit: permit.expect("the semaphore is never closed"),
            };
            match input.read(bytes_max).await {
                Ok(image) => {
                    pending.image = keeps_image.then(|| image.clone());
                    return Some(((pending, image), (inputs, send, permits)));
                }
                // The receiver lives as long as this stream is polled.
                Err(error) => drop(send.send((pending, Err(error)))),
            }
        }
    });
    let answers = backend.classify(images, options);
    let answers = answers.map(|(pending, answer)| (pending, answer.map_err(FileError::Rejected)));
    let unreadable = stream::poll_fn(move |context| unreadable.poll_recv(context));
    stream::select(answers, unreadable)
}

/// Reports the results to the user.
struct Report {
    output: Output,
    heatmaps: Option<Heatmaps>,
    progress: Progress,
    failed: usize,
}

impl Report {
    /// Classifies all images and reports them in order.
    async fn run(
        &mut self,
        backend: &Backend,
        inputs: &[Input],
        options: ClassifyOptions,
    ) -> io::Result<()> {
        let mut outcomes = pin!(outcomes(backend, inputs, options));
        let mut early = BTreeMap::new();
        let mut next = 0;
        while let Some((pending, outcome)) = outcomes.next().await {
            if let Err(FileError::Rejected(error)) = &outcome
                && let Some(message) = backend.fatal_message(error)
            {
                self.progress.print_error(&message);
                let error = FileError::Rejected(error.clone());
                return self.report_rest(inputs, next, early, &error).await;
            }
            early.insert(pending.index, (pending, outcome));
            while let Some((pending, outcome)) = early.remove(&next) {
                self.report(&inputs[next], pending.image, outcome).await?;
                next += 1;
            }
        }
        Ok(())
    }

    /// Reports the images from `next` on, after an error that ended the run.
    async fn report_rest(
        &mut self,
        inputs: &[Input],
        next: usize,
        mut early: BTreeMap<usize, (Pending, Result<Answer, FileError>)>,
        error: &FileError,
    ) -> io::Result<()> {
        for (index, input) in inputs.iter().enumerate().skip(next) {
            match early.remove(&index) {
                Some((pending, outcome)) => self.report(input, pending.image, outcome).await?,
                None => {
                    self.failed += 1;
                    self.write(input, &Err(error.clone()), &[])?;
                }
            }
        }
        Ok(())
    }

    async fn report(
        &mut self,
        input: &Input,
        image: Option<Bytes>,
        outcome: Result<Answer, FileError>,
    ) -> io::Result<()> {
        let mut heatmaps = Vec::new();
        let mut message = outcome.as_ref().err().map(ToString::to_string);
        if let (Ok(answer), Some(drawing), Some(image)) = (&outcome, &mut self.heatmaps, image) {
            match drawing.draw(&input.stem(), image, answer).await {
                Ok(drawn) => heatmaps = drawn,
                Err(why) => message = Some(format!("cannot draw the heatmaps: {why}")),
            }
        }
        if let Some(message) = message {
            self.failed += 1;
            let message = format!("{}: {message}", input.name());
            self.progress.print_error(&message);
        }
        self.write(input, &outcome, &heatmaps)
    }

    fn write(
        &mut self,
        input: &Input,
        outcome: &Result<Answer, FileError>,
        heatmaps: &[String],
    ) -> io::Result<()> {
        let Self {
            output, progress, ..
        } = self;
        progress.suspend(|| output.write(input.name(), outcome, heatmaps))?;
        progress.advance();
        Ok(())
    }

    fn outcome(&self, images: usize) -> Outcome {
        self.progress.finish();
        if self.failed == 0 {
            return Outcome::Success;
        }
        if images > 1 {
            eprintln!(
                "imageclassifier: {} of {images} images were not classified",
                self.failed
            );
        }
        Outcome::Partial
    }
}
