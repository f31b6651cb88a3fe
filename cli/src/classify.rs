use std::{
    io::{self, ErrorKind},
    path::PathBuf,
    pin::pin,
    slice,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use imageclassifier_client::{Answer, ClassifyOptions};

use crate::{
    args,
    backend::Backend,
    bulk,
    file_error::FileError,
    heatmap::Heatmaps,
    inputs::Input,
    outcome::Outcome,
    output::Output,
    pipeline::{Early, in_order},
    progress::Progress,
    remote,
    storage::{Location, Stores},
};

pub(crate) async fn run(args: &args::Classify) -> Outcome {
    if let Some(output) = &args.bulk.output {
        return bulk::run(args, output).await;
    }
    let backend = match Backend::connect(args).await {
        Ok(backend) => backend,
        Err(why) => return Outcome::failure(why),
    };
    let heatmaps = match args.explain.as_deref().map(Heatmaps::create).transpose() {
        Ok(heatmaps) => heatmaps,
        Err(why) => return Outcome::failure(why),
    };
    let inputs = match inputs(&args.files).await {
        Ok(inputs) => inputs,
        Err(why) => return Outcome::failure(why),
    };
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

/// The images that the arguments name, in their order.
async fn inputs(arguments: &[PathBuf]) -> Result<Vec<Input>, String> {
    let mut stores = Stores::default();
    let mut inputs = Vec::new();
    for argument in arguments {
        match argument.to_str().and_then(Location::parse).transpose()? {
            None => inputs.extend(Input::from_arguments(slice::from_ref(argument))),
            Some(location) if location.is_folder() && !location.is_web() => {
                let folder = stores.folder(location)?;
                let mut images: Vec<_> = remote::images_below(&folder).try_collect().await?;
                if images.is_empty() {
                    let why = "this folder contains no images";
                    images.push(Input::missing(folder.name().as_ref(), why));
                }
                inputs.append(&mut images);
            }
            Some(location) => inputs.push(Input::object(stores.object(location)?)),
        }
    }
    Ok(inputs)
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
        let mut results = pin!(in_order(backend, stream::iter(inputs), options));
        let mut next = 0;
        while let Some(result) = results.next().await {
            let (pending, outcome) = match result {
                Ok(result) => result,
                Err(fatal) => {
                    self.progress.print_error(&fatal.message);
                    let error = FileError::Rejected(fatal.error);
                    return self.report_rest(inputs, next, fatal.early, &error).await;
                }
            };
            self.report(pending.input, pending.image, outcome).await?;
            next += 1;
        }
        Ok(())
    }

    /// Reports the images from `next` on, after an error that ended the run.
    async fn report_rest(
        &mut self,
        inputs: &[Input],
        next: usize,
        mut early: Early<&Input>,
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
