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
    heatmap::Heatmaps,
    inputs::{FileError, Input},
    outcome::Outcome,
    output::Output,
    progress::Progress,
    respondent::Respondent,
};

/// How many pictures may be between the file and the output. More than a stream has under way, so that a slow picture does
/// not hold up those behind it, whose answers have to wait for it; few enough that waiting answers take no memory to speak of.
const HELD_MAX: usize = 64;

/// A picture on its way.
struct Asked {
    index: usize,
    /// For who draws over it.
    image: Option<Bytes>,
    _place: OwnedSemaphorePermit,
}

pub(crate) async fn run(args: &args::Classify) -> Outcome {
    let respondent = match Respondent::ready(args).await {
        Ok(respondent) => respondent,
        Err(why) => return Outcome::could_not_ask(why),
    };
    let heatmaps = match args
        .explain
        .as_deref()
        .map(Heatmaps::into_folder)
        .transpose()
    {
        Ok(heatmaps) => heatmaps,
        Err(why) => return Outcome::could_not_ask(why),
    };
    let inputs = Input::of_arguments(&args.files);
    let mut report = Report {
        output: Output::new(args, &inputs),
        heatmaps,
        progress: Progress::of(inputs.len()),
        failed: 0,
    };
    let options = ClassifyOptions {
        top_k: args.top_k,
        model: args.model.clone(),
        explain: args.explain.is_some(),
    };
    match report.all(&respondent, &inputs, options).await {
        Ok(()) => report.outcome(inputs.len()),
        // Whoever read it has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Outcome::Partial,
        Err(error) => Outcome::could_not_ask(format!("cannot write the output: {error}")),
    }
}

/// What came of each picture, in any order. Each is read when there is room for it, and takes that room until it is dropped.
fn outcomes<'a>(
    respondent: &Respondent,
    inputs: &'a [Input],
    options: ClassifyOptions,
) -> impl Stream<Item = (Asked, Result<Answer, FileError>)> + 'a {
    let bytes_max = respondent.image_bytes_max();
    let keeps_image = options.explain;
    // Bounded by the places.
    let (tell, mut unreadable) = mpsc::unbounded_channel();
    let places = Arc::new(Semaphore::new(HELD_MAX));
    let state = (inputs.iter().enumerate(), tell, places);
    let pictures = stream::unfold(state, move |(mut inputs, tell, places)| async move {
        loop {
            let (index, input) = inputs.next()?;
            let place = Arc::clone(&places).acquire_owned().await;
            let mut asked = Asked {
                index,
                image: None,
                _place: place.expect("nobody closes it"),
            };
            match input.read(bytes_max).await {
                Ok(image) => {
                    asked.image = keeps_image.then(|| image.clone());
                    return Some(((asked, image), (inputs, tell, places)));
                }
                // The other end lives as long as this one is asked for pictures.
                Err(error) => drop(tell.send((asked, Err(error)))),
            }
        }
    });
    let answers = respondent.classify(pictures, options);
    let answers = answers.map(|(asked, answer)| (asked, answer.map_err(FileError::Refused)));
    let unreadable = stream::poll_fn(move |context| unreadable.poll_recv(context));
    stream::select(answers, unreadable)
}

/// Tells the user.
struct Report {
    output: Output,
    heatmaps: Option<Heatmaps>,
    progress: Progress,
    failed: usize,
}

impl Report {
    /// Tells of all pictures in their order.
    async fn all(
        &mut self,
        respondent: &Respondent,
        inputs: &[Input],
        options: ClassifyOptions,
    ) -> io::Result<()> {
        let mut outcomes = pin!(outcomes(respondent, inputs, options));
        let mut early = BTreeMap::new();
        let mut next = 0;
        while let Some((asked, outcome)) = outcomes.next().await {
            if let Err(FileError::Refused(error)) = &outcome
                && let Some(why) = respondent.ends_everything(error)
            {
                self.progress.say(&why);
                let error = FileError::Refused(error.clone());
                return self.rest(inputs, next, early, &error).await;
            }
            early.insert(asked.index, (asked, outcome));
            while let Some((asked, outcome)) = early.remove(&next) {
                self.picture(&inputs[next], asked.image, outcome).await?;
                next += 1;
            }
        }
        Ok(())
    }

    /// Those from `next` on, when nobody can be asked any more.
    async fn rest(
        &mut self,
        inputs: &[Input],
        next: usize,
        mut early: BTreeMap<usize, (Asked, Result<Answer, FileError>)>,
        error: &FileError,
    ) -> io::Result<()> {
        for (index, input) in inputs.iter().enumerate().skip(next) {
            match early.remove(&index) {
                Some((asked, outcome)) => self.picture(input, asked.image, outcome).await?,
                None => {
                    self.failed += 1;
                    self.write(input, &Err(error.clone()), &[])?;
                }
            }
        }
        Ok(())
    }

    async fn picture(
        &mut self,
        input: &Input,
        image: Option<Bytes>,
        outcome: Result<Answer, FileError>,
    ) -> io::Result<()> {
        let mut heatmaps = Vec::new();
        let mut complaint = outcome.as_ref().err().map(ToString::to_string);
        if let (Ok(answer), Some(drawing), Some(image)) = (&outcome, &mut self.heatmaps, image) {
            match drawing.draw(&input.stem(), image, answer).await {
                Ok(drawn) => heatmaps = drawn,
                Err(why) => complaint = Some(format!("cannot draw its heatmaps: {why}")),
            }
        }
        if let Some(complaint) = complaint {
            self.failed += 1;
            self.progress.say(&format!("{}: {complaint}", input.name()));
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
        progress.aside(|| output.write(input.name(), outcome, heatmaps))?;
        progress.one_more();
        Ok(())
    }

    fn outcome(&self, pictures: usize) -> Outcome {
        self.progress.finish();
        if self.failed == 0 {
            return Outcome::Success;
        }
        if pictures > 1 {
            eprintln!(
                "imageclassifier: {} of {pictures} pictures have no answer",
                self.failed
            );
        }
        Outcome::Partial
    }
}
