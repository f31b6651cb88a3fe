use std::sync::Arc;

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};

use crate::{
    batch::{
        pulse::Pulse,
        row::{Row, RowRequest, State},
    },
    failure::{Failure, Remedy},
    image::picked::Picked,
    session::{
        Session,
        request::{self, Pending, now_ms},
        request_error::RequestError,
        step::Step,
        ticket::Ticket,
    },
};

/// Images upload in up to three parallel requests.
const IN_FLIGHT: usize = 3;
/// Small files share a request of about this many bytes: a request costs the browser as much work as some hundred kilobytes do.
/// Requests begin small and stay small where they are slow, because the server limits the time of each upload.
const REQUEST_BYTES_MIN: f64 = (64 << 10) as f64;
const REQUEST_BYTES_FIRST: f64 = (256 << 10) as f64;
const REQUEST_BYTES_MAX: f64 = (2 << 20) as f64;
/// Below this time the next requests may be larger.
const QUICK_MS: f64 = 1_000.0;
/// Above it they are smaller.
const SLOW_MS: f64 = 3_000.0;
/// Attempts in a row, where the server asks to come back later, during which no image of the batch was answered.
const FRUITLESS_ATTEMPTS_MAX: u32 = 5;
/// The longest wait between two attempts, even if the server's hint is longer.
const WAIT_MS_MAX: u32 = 300_000;
/// Thumbnails wait this long after work has begun, so that answers come first.
const HURRY_MS: f64 = 2_000.0;

/// Sends the waiting rows of a batch, in order. A handle: copies mean the same scheduler.
#[derive(Clone, Copy)]
pub(super) struct Scheduler {
    session: Session,
    rows: ReadSignal<Vec<Row>>,
    selected: WriteSignal<Option<Row>>,
    pulse: Pulse,
    workers: StoredValue<usize>,
    began_ms: StoredValue<f64>,
    requests: StoredValue<usize>,
    request_bytes: StoredValue<f64>,
    answers: StoredValue<usize>,
}

impl Scheduler {
    pub(super) fn new(
        session: Session,
        rows: ReadSignal<Vec<Row>>,
        selected: WriteSignal<Option<Row>>,
        pulse: Pulse,
    ) -> Self {
        Self {
            session,
            rows,
            selected,
            pulse,
            workers: StoredValue::new(0),
            began_ms: StoredValue::new(0.0),
            requests: StoredValue::new(0),
            request_bytes: StoredValue::new(REQUEST_BYTES_FIRST),
            answers: StoredValue::new(0),
        }
    }

    /// Whether other work should wait: a short batch is done before its first result can be read.
    pub(super) fn is_in_a_hurry(self) -> bool {
        self.workers.get_value() > 0 && now_ms() < self.began_ms.get_value() + HURRY_MS
    }

    /// Starts as many workers as there is work for; each takes the next rows until none waits.
    pub(super) fn run(self) {
        let waiting = self
            .rows
            .with_untracked(|rows| rows.iter().filter(|row| row.is_waiting()).count());
        let workers = self.workers.get_value();
        if workers == 0 {
            self.began_ms.set_value(now_ms());
        }
        for _ in workers..IN_FLIGHT.min(workers + waiting) {
            self.workers.update_value(|workers| *workers += 1);
            spawn_local(async move {
                loop {
                    let rows = self.next_waiting();
                    if rows.is_empty() {
                        break;
                    }
                    self.request(rows).await;
                }
                self.workers.update_value(|workers| *workers -= 1);
            });
        }
    }

    /// The first waiting rows that fit into a request; a large one by itself.
    fn next_waiting(self) -> Vec<Row> {
        let batch_images_max = self.session.models().limits().batch_images_max;
        let request_bytes = self.request_bytes.get_value();
        let mut bytes = 0.0;
        self.rows.with_untracked(|rows| {
            let waiting = rows.iter().copied().filter(|row| row.is_waiting());
            let fits = |(at, row): &(usize, Row)| {
                bytes += row.file().map_or(0.0, |file| file.size());
                *at == 0 || bytes <= request_bytes
            };
            let next = waiting.take(batch_images_max).enumerate();
            next.take_while(fits).map(|(_, row)| row).collect()
        })
    }

    fn request(self, rows: Vec<Row>) -> impl Future<Output = ()> + 'static {
        let number = self.requests.get_value();
        self.requests.set_value(number + 1);
        let (ticket, work) = Ticket::issue(self.send(number, rows.clone()));
        let request = RowRequest::new(number, ticket);
        rows.iter().for_each(|row| row.assign(request.clone()));
        work
    }

    /// Sends the rows again while the server names a time to come back: a batch can wait.
    async fn send(self, number: usize, rows: Vec<Row>) {
        let mut rows: Vec<_> = rows.into_iter().filter_map(pending).collect();
        let mut fruitless = 0;
        while !rows.is_empty() {
            let answers = self.answers.get_value();
            let pending: Vec<_> = rows.iter().map(|(_, pending)| pending.clone()).collect();
            let outcomes = request::classify(&self.session.request_config(), &pending).await;
            let answered = outcomes.iter().flatten();
            if let Some((_, took_ms)) = answered.clone().next() {
                self.adapt(*took_ms);
            }
            self.answers
                .update_value(|answers| *answers += answered.count());
            fruitless += 1;
            if self.answers.get_value() > answers {
                fruitless = 0;
            }
            let mut put_off = Vec::new();
            let mut wait_ms = 0;
            for ((row, pending), outcome) in rows.into_iter().zip(outcomes) {
                match outcome {
                    _ if !row.is_in(number) => {} // cancelled meanwhile
                    Ok((answer, took_ms)) => row.settle(State::Answered(answer.into(), took_ms)),
                    Err(error) => match error.retry_after_ms() {
                        Some(ms) if fruitless < FRUITLESS_ATTEMPTS_MAX => {
                            row.step.set(Step::Queued);
                            wait_ms = wait_ms.max(ms);
                            put_off.push((row, pending));
                        }
                        _ => self.fail(row, error),
                    },
                }
            }
            self.pulse.changed();
            if !put_off.is_empty() {
                let wait_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
                TimeoutFuture::new(wait_ms.min(WAIT_MS_MAX)).await;
            }
            put_off.retain(|(row, _)| row.is_in(number));
            rows = put_off;
        }
    }

    /// Adapts the size of requests to what the link and the server can do.
    fn adapt(self, took_ms: f64) {
        self.request_bytes.update_value(|bytes| {
            if took_ms < QUICK_MS {
                *bytes = (*bytes * 2.0).min(REQUEST_BYTES_MAX);
            } else if took_ms > SLOW_MS {
                *bytes = (*bytes / 2.0).max(REQUEST_BYTES_MIN);
            }
        });
    }

    /// Fails a row. Where an access token or the model is missing, the waiting rows fail with it unsent.
    fn fail(self, row: Row, error: RequestError) {
        self.session.heed(&error.failure);
        let concerns_all =
            error.remedy() == Remedy::AccessToken || error.failure == Failure::ModelMissing;
        let state = State::Failed(error.into());
        row.settle(state.clone());
        if concerns_all {
            self.rows.with_untracked(|rows| {
                let waiting = rows.iter().filter(|row| row.is_waiting());
                waiting.for_each(|row| row.settle(state.clone()));
            });
            self.selected.set(Some(row));
        }
    }
}

/// None where there is nothing to send; then the row has failed.
fn pending(row: Row) -> Option<(Row, Pending)> {
    let step = row.step;
    match row.file().and_then(Picked::file) {
        Ok(picked) => Some((row, Pending { picked, step })),
        Err(failure) => {
            row.settle(State::Failed(Arc::new(failure.into())));
            None
        }
    }
}
