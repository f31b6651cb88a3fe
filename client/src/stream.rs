use std::{collections::HashMap, pin::Pin};

use bytes::Bytes;
use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use imageclassifier_proto::{
    ClassifyImageRequest, ClassifyStreamResponse, classify_stream_response::Outcome,
};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::{Duration, Instant, sleep_until, timeout},
};
use tonic::Status;

use crate::{Answer, CallError, Classifier, ClassifyOptions, retry};

/// How long the server is waited for after its last answer, so that it sees the stream end and not break off.
const GOODBYE: Duration = Duration::from_secs(1);

/// How a stream is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// How many pictures may be under way at once, at least 1: what the stream holds of memory.
    pub in_flight_max: usize,
    /// How many more times a picture is sent that was turned away for the moment, or lost with the connection.
    pub retries: u32,
}

impl Default for StreamOptions {
    /// Enough pictures to keep a server of some cores busy over a slow network, and patience for half a minute.
    fn default() -> Self {
        Self {
            in_flight_max: 16,
            retries: 8,
        }
    }
}

impl Classifier {
    /// Classifies `pictures`, each with a key of the caller's own, over one bidirectional stream. Answers come as they are
    /// ready, in any order, each with its picture's key; an error belongs to its picture. The next picture is taken when
    /// there is room for it.
    ///
    /// Pictures that the server turns away for the moment are sent again when it said. A stream that breaks is opened again,
    /// and what was under way is sent again.
    pub fn classify_stream<K, P>(
        &self,
        pictures: P,
        options: ClassifyOptions,
        stream_options: StreamOptions,
    ) -> impl Stream<Item = (K, Result<Answer, CallError>)> + use<K, P>
    where
        P: Stream<Item = (K, Bytes)>,
    {
        let session = Session {
            classifier: self.clone(),
            options,
            in_flight_max: stream_options.in_flight_max.max(1),
            retries: stream_options.retries,
            pictures: Some(Box::pin(pictures)),
            line: None,
            asked: HashMap::new(),
            put_off: Vec::new(),
            failed: Vec::new(),
        };
        stream::unfold(session, |mut session| async {
            let outcome = session.next().await?;
            Some((outcome, session))
        })
    }
}

/// What is left to do, and where each picture is.
struct Session<K, P> {
    classifier: Classifier,
    options: ClassifyOptions,
    in_flight_max: usize,
    retries: u32,
    /// Nothing after the last one.
    pictures: Option<Pin<Box<P>>>,
    line: Option<Line>,
    /// Under way on `line`, by index there.
    asked: HashMap<u64, Asked<K>>,
    /// To be sent at a time.
    put_off: Vec<(Instant, Asked<K>)>,
    /// To be told to the caller.
    failed: Vec<(K, CallError)>,
}

/// A picture that the caller waits for. Its bytes are kept in case they have to be sent again.
struct Asked<K> {
    key: K,
    image: Bytes,
    expires_at: Option<Instant>,
    retries: u32,
}

/// An open stream.
struct Line {
    requests: mpsc::Sender<ClassifyImageRequest>,
    answers: BoxStream<'static, Result<ClassifyStreamResponse, Status>>,
    sent: u64,
}

impl<K, P: Stream<Item = (K, Bytes)>> Session<K, P> {
    async fn next(&mut self) -> Option<(K, Result<Answer, CallError>)> {
        loop {
            if let Some((key, error)) = self.failed.pop() {
                return Some((key, Err(error)));
            }
            let in_flight = self.asked.len() + self.put_off.len();
            let has_room = self.pictures.is_some() && in_flight < self.in_flight_max;
            if in_flight == 0 && !has_room {
                self.hang_up().await;
                return None;
            }
            let alarm = self.alarm();
            tokio::select! {
                // First of all answers: one that came in time is not lost because nobody looked.
                biased;
                answer = next_answer(&mut self.line), if !self.asked.is_empty() => {
                    if let Some(outcome) = self.take(answer) {
                        return Some(outcome);
                    }
                }
                picture = next_picture(&mut self.pictures), if has_room => match picture {
                    Some((key, image)) => self.ask(key, image),
                    None => self.pictures = None,
                },
                () = until(alarm), if alarm.is_some() => self.wake(),
            }
        }
    }

    fn ask(&mut self, key: K, image: Bytes) {
        let timeout = self.classifier.timeout;
        self.send(Asked {
            key,
            image,
            expires_at: timeout.map(|timeout| Instant::now() + timeout),
            retries: 0,
        });
    }

    fn send(&mut self, asked: Asked<K>) {
        let mut request = self.options.clone().request(asked.image.clone());
        loop {
            let line = self
                .line
                .get_or_insert_with(|| Line::open(&self.classifier, self.in_flight_max));
            match line.requests.try_send(request) {
                Ok(()) => {
                    self.asked.insert(line.sent, asked);
                    line.sent += 1;
                    return;
                }
                // Full only of pictures that were given up: the server takes none.
                Err(TrySendError::Full(back) | TrySendError::Closed(back)) => {
                    request = back;
                    let lost = CallError::from(Status::unavailable("the stream has ended"));
                    self.break_off(&lost);
                }
            }
        }
    }

    fn take(
        &mut self,
        answer: Option<Result<ClassifyStreamResponse, Status>>,
    ) -> Option<(K, Result<Answer, CallError>)> {
        let answer = match answer {
            Some(Ok(answer)) => answer,
            Some(Err(status)) => {
                self.break_off(&status.into());
                return None;
            }
            None => {
                let ended =
                    Status::unavailable("the server ended the stream before its last answer");
                self.break_off(&ended.into());
                return None;
            }
        };
        // Else it was given up.
        let asked = self.asked.remove(&answer.index)?;
        match answer.outcome {
            Some(Outcome::Response(response)) => return Some((asked.key, Ok(response))),
            Some(Outcome::Error(status)) => self.fail(asked, status.into()),
            None => self.fail(asked, Status::internal("an answer says nothing").into()),
        }
        None
    }

    /// Everything that is under way is lost with the line.
    fn break_off(&mut self, error: &CallError) {
        self.line = None;
        for asked in std::mem::take(&mut self.asked).into_values() {
            self.fail(asked, error.clone());
        }
    }

    /// Puts a picture off if trying again can help in time, or gives it up.
    fn fail(&mut self, mut asked: Asked<K>, error: CallError) {
        let again_at = retry::wait(asked.retries, &error)
            .filter(|_| asked.retries < self.retries)
            .map(|wait| Instant::now() + wait)
            .filter(|&at| asked.expires_at.is_none_or(|expires_at| at < expires_at));
        match again_at {
            Some(at) => {
                asked.retries += 1;
                self.put_off.push((at, asked));
            }
            None => self.failed.push((asked.key, error)),
        }
    }

    /// When something is due.
    fn alarm(&self) -> Option<Instant> {
        let expiries = self.asked.values().filter_map(|asked| asked.expires_at);
        expiries.chain(self.put_off.iter().map(|(at, _)| *at)).min()
    }

    fn wake(&mut self) {
        let now = Instant::now();
        let late = |asked: &Asked<K>| asked.expires_at.is_some_and(|at| at <= now);
        for (_, asked) in self.asked.extract_if(|_, asked| late(asked)) {
            self.failed.push((asked.key, CallError::out_of_time()));
        }
        let due: Vec<_> = self.put_off.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, asked) in due {
            self.send(asked);
        }
    }

    async fn hang_up(&mut self) {
        if let Some(Line {
            requests, answers, ..
        }) = self.line.take()
        {
            drop(requests);
            // Nothing is expected any more; that nothing comes is no error.
            let _ = timeout(GOODBYE, answers.map(drop).collect::<()>()).await;
        }
    }
}

impl Line {
    fn open(classifier: &Classifier, in_flight_max: usize) -> Self {
        let (requests, mut to_send) = mpsc::channel(in_flight_max);
        let to_send = stream::poll_fn(move |context| to_send.poll_recv(context));
        let call = classifier.call(to_send);
        let mut rpc = classifier.rpc.clone();
        // The server's first word may come only after the first picture.
        let opening = async move {
            rpc.classify_stream(call)
                .await
                .map(tonic::Response::into_inner)
        };
        Self {
            requests,
            answers: stream::once(opening).try_flatten().boxed(),
            sent: 0,
        }
    }
}

async fn next_answer(line: &mut Option<Line>) -> Option<Result<ClassifyStreamResponse, Status>> {
    line.as_mut()?.answers.next().await
}

async fn next_picture<P: Stream>(pictures: &mut Option<Pin<Box<P>>>) -> Option<P::Item> {
    pictures.as_mut()?.next().await
}

async fn until(alarm: Option<Instant>) {
    if let Some(at) = alarm {
        sleep_until(at).await;
    }
}
