//! Answers requests away from the async runtime: admission, the queue to the compute threads, and cancellation.

pub(crate) mod feedback;
pub(crate) mod job;
pub(crate) mod load;
pub(crate) mod models;
pub(crate) mod offload;
mod own_models;
pub(crate) mod prepared;
pub(crate) mod queue;
pub(crate) mod rates;
pub(crate) mod repository;
pub(crate) mod service_time;
pub(crate) mod stages;
pub(crate) mod workers;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicUsize},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use imageclassifier_model::{
    Classifier, EncodedImage, Network, Preprocessing, ThreadTeam, Weights,
};
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

use crate::{
    config::Config,
    engine::{
        feedback::Feedback,
        job::{Classification, ClassifyOptions, Job, JobContext, Payload},
        models::Models,
        prepared::PreparedTensor,
        queue::{Queue, QueueEstimate},
        rates::RateMeter,
        repository::{Loader, Repository},
        service_time::ServiceTime,
        stages::MakeStages,
        workers::WorkerPool,
    },
    observe::{
        metrics::{Abandoned, Metrics},
        trace::{root_span, stage_span},
    },
    readiness::Readiness,
    request::error::RequestError,
};

/// Answers requests with one network and the models that run on it. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    built_in: Classifier,
    models: Models,
    /// With `--models`.
    repository: Option<Arc<Repository>>,
    /// With `--feedback-dir`.
    feedback: Option<Arc<Feedback>>,
    input_size: u32,
    limits: ImageLimits,
    /// A longer queue is not joined.
    queue_wait_max: Duration,
    rates: RateMeter,
    pool: Arc<WorkerPool>,
}

/// Limits on images.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageLimits {
    pub(crate) image_bytes_max: u64,
    pub(crate) pixels_max: u64,
    pub(crate) batch_images_max: u32,
    /// Slightly above the limit on images, so that an image just over it is still read and the error can state its size.
    pub(crate) message_bytes_max: u64,
}

/// Images of one request that are computed or queued at once, for each core: enough that no core waits for them, and few
/// enough that others get their turn.
const AT_ONCE_PER_CORE_MAX: u128 = 4;
/// Proves that a loaded network works: an image like any other.
const WARM_UP_IMAGE: &[u8] = include_bytes!("engine/warm_up.jpg");
/// The first inference touches every weight for the first time.
const WARM_UP_DEADLINE: Duration = Duration::from_secs(60);

impl Engine {
    /// Starts a thread for each core to run `network`, which was made of `weights`.
    ///
    /// # Errors
    /// If a thread cannot be started, `--models` cannot be read, or `--default-model` or
    /// `--feedback-dir` cannot be used.
    pub fn start(network: Network, weights: Weights, config: &Config) -> io::Result<Self> {
        let make_stages = stages::network_stages(network, &weights, config.limits.pixels_max);
        Self::with_stages(make_stages, weights, config)
    }

    /// As [`Self::start`], with other stages than those of a network.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with_stages(
        make_stages: Box<MakeStages>,
        weights: Weights,
        config: &Config,
    ) -> io::Result<Self> {
        let threads = thread::available_parallelism()?.get();
        let built_in = Classifier::built_in(&weights, config.precision);
        let pool = Arc::new(WorkerPool {
            make_stages,
            queue: Queue::new(config.limits.calls_max.into()),
            service_time: ServiceTime::default(),
            readiness: Readiness::new(threads),
            metrics: Metrics::new(built_in.name(), built_in.revision()),
            threads,
            team: Mutex::new(ThreadTeam::new(threads)),
            busy: AtomicUsize::new(0),
        });
        let default = config.default_model.as_deref();
        let models = Models::new(built_in.clone(), default.unwrap_or(built_in.name()));
        let input_size = weights.variant().input_size();
        let open = |dir: &PathBuf| {
            Repository::open(
                dir.clone(),
                config.models_poll_interval,
                Loader::new(
                    weights,
                    config.precision,
                    config.compute().map_err(io::Error::other)?,
                ),
                built_in.clone(),
                models.clone(),
                pool.metrics.clone(),
            )
        };
        let repository = config.models.as_ref().map(open).transpose()?.map(Arc::new);
        check_default(&models)?;
        let feedback = config.feedback_dir.as_deref().map(Feedback::open);
        let feedback = feedback.transpose()?.map(Arc::new);
        workers::start(&pool)?;
        Ok(Self(Arc::new(Shared {
            models,
            repository,
            feedback,
            built_in,
            input_size,
            limits: ImageLimits {
                image_bytes_max: config.limits.image_bytes_max.into(),
                pixels_max: config.limits.pixels_max,
                batch_images_max: config.limits.batch_images_max,
                message_bytes_max: config.limits.message_bytes_max(),
            },
            queue_wait_max: config.limits.queue_wait_max,
            rates: RateMeter::new(Instant::now()),
            pool,
        })))
    }

    /// The models that clients can name.
    pub(crate) fn models(&self) -> &Models {
        &self.0.models
    }

    /// The network's own classes.
    pub(crate) fn built_in(&self) -> &Classifier {
        &self.0.built_in
    }

    /// Side of the square input of the model's network, in pixels.
    pub(crate) fn input_size(&self, classifier: &Classifier) -> u32 {
        let network = classifier.network();
        network.map_or(self.0.input_size, |it| it.preprocessing().input_size)
    }

    /// How an image becomes the input of the model's network.
    pub(crate) fn preprocessing(&self, classifier: &Classifier) -> Preprocessing {
        match classifier.network() {
            Some(network) => network.preprocessing().clone(),
            None => Preprocessing::of(self.0.input_size),
        }
    }

    pub(crate) fn limits(&self) -> ImageLimits {
        self.0.limits
    }

    /// How many images of one request are computed or queued at once: as many as can be answered within `--queue-wait-max`, so that
    /// the images of a request without others beside it are not rejected because of each other.
    pub(crate) fn images_at_once(&self) -> usize {
        let mean = self.0.pool.service_time.mean().max(Duration::from_nanos(1));
        let each =
            (self.0.queue_wait_max.as_nanos() / mean.as_nanos()).clamp(1, AT_ONCE_PER_CORE_MAX);
        self.cores() * usize::try_from(each).expect("a small number")
    }

    /// Number of compute threads.
    pub(crate) fn cores(&self) -> usize {
        self.0.pool.threads
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.pool.metrics
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.0.pool.readiness
    }

    /// Classifies an image, so that the first request does not pay for what is done only once, and so that a server
    /// that cannot answer does not report itself ready.
    pub(crate) async fn warm_up(&self) -> Result<(), RequestError> {
        let image = EncodedImage::new(Bytes::from_static(WARM_UP_IMAGE), u64::MAX)?;
        let deadline = Instant::now() + WARM_UP_DEADLINE;
        let options = ClassifyOptions {
            classifier: self.0.built_in.clone(),
            top_k: 1,
            explain: false,
        };
        let span = root_span!("warm-up");
        let warm = self.compute(Payload::Encoded(image), options, deadline);
        let Classification { embedding, .. } = warm.instrument(span).await?;
        if let Some(repository) = &self.0.repository {
            repository.warm_up_with(embedding);
        }
        self.readiness().warm();
        Ok(())
    }

    /// Whether a request that arrives now would be answered by `deadline`, as far as can be told before its image arrives.
    ///
    /// # Errors
    /// [`RequestError::NotReady`], [`RequestError::Overloaded`].
    pub(crate) fn admit(&self, deadline: Instant) -> Result<(), RequestError> {
        if !self.readiness().accepts_requests() {
            return Err(RequestError::NotReady);
        }
        self.check_wait(deadline)
    }

    /// Rejects a request at once if it would be answered too late: waiting would be useless.
    ///
    /// # Errors
    /// [`RequestError::DeadlineExceeded`] if it would be too late even if nothing else ran; [`RequestError::Overloaded`].
    fn check_wait(&self, deadline: Instant) -> Result<(), RequestError> {
        let wait = self.estimated_wait();
        let answered_at = Instant::now() + self.0.pool.service_time.mean();
        if answered_at > deadline {
            return Err(RequestError::DeadlineExceeded);
        }
        if wait > self.0.queue_wait_max || answered_at + wait > deadline {
            return Err(RequestError::Overloaded { retry_delay: wait });
        }
        Ok(())
    }

    /// Decodes and classifies `image`. Dropping the future cancels the job: work that has not begun by then never begins.
    pub(crate) async fn classify(
        &self,
        image: Bytes,
        options: ClassifyOptions,
        deadline: Instant,
    ) -> Result<Classification, RequestError> {
        let encoded = EncodedImage::new(image, self.0.limits.image_bytes_max)?;
        // The queue may have grown during the upload.
        self.check_wait(deadline)?;
        self.compute(Payload::Encoded(encoded), options, deadline)
            .await
    }

    /// Classifies a tensor that the client has prepared.
    pub(crate) async fn classify_tensor(
        &self,
        tensor: PreparedTensor,
        options: ClassifyOptions,
        deadline: Instant,
    ) -> Result<Classification, RequestError> {
        self.check_wait(deadline)?;
        self.compute(Payload::Prepared(tensor), options, deadline)
            .await
    }

    async fn compute(
        &self,
        payload: Payload,
        options: ClassifyOptions,
        deadline: Instant,
    ) -> Result<Classification, RequestError> {
        let pool = &*self.0.pool;
        let (reply, answer) = oneshot::channel();
        let span = Span::current();
        let waiting = stage_span!(&span, "queue");
        let context = JobContext {
            options,
            queued_at: Instant::now(),
            spans: [span, waiting],
            deadline,
            reply,
        };
        let job = Job { payload, context };
        let ticket = pool
            .queue
            .push(job)
            .ok_or_else(|| RequestError::Overloaded {
                retry_delay: self.estimated_wait(),
            })?;
        let _slot = QueueSlot {
            pool,
            ticket,
            deadline,
        };
        // The worker died if it dropped the job without a reply.
        answer.await.map_err(|_| RequestError::NotReady)?
    }

    /// How long an image that is queued now waits: what the work of those ahead has taken lately, or what the first of them
    /// has already waited where that shows more. Cores that others use too make both differ.
    fn estimated_wait(&self) -> Duration {
        let pool = &self.0.pool;
        let cores = u32::try_from(pool.threads).unwrap_or(u32::MAX);
        let QueueEstimate { jobs, time_per_job } = pool.queue.estimate();
        time_per_job.max(pool.service_time.mean() / cores) * jobs
    }
}

/// A default that cannot be used is noticed before the first request.
fn check_default(models: &Models) -> io::Result<()> {
    let table = models.table();
    let name = table.default();
    if table.get(name).is_some() {
        return Ok(());
    }
    let mut all = table.all().filter(|(found, _)| *found == name);
    let problem = all.find_map(|(_, version)| version.problem());
    let problem = problem.unwrap_or("there is no such folder in --models");
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("cannot use --default-model {name}: {problem}"),
    ))
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.pool.queue.close();
    }
}

/// A place in the queue. Dropping it removes the job, image included.
struct QueueSlot<'a> {
    pool: &'a WorkerPool,
    ticket: u64,
    deadline: Instant,
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        if self.pool.queue.remove(self.ticket).is_some() {
            let why = if Instant::now() >= self.deadline {
                Abandoned::Expired
            } else {
                Abandoned::Cancelled
            };
            self.pool.metrics.abandoned(why);
        }
    }
}
