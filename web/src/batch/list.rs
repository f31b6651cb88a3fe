use std::{sync::Arc, time::Duration};

use leptos::{prelude::*, reactive::owner::Owner, task::spawn_local};

use crate::{
    batch::row::{Call, Row, State},
    failure::Remedy,
    image::picked::Picked,
    inputs::found::Found,
    session::{
        Phase, Session,
        request::{self, Asked, Fault, Step, now_ms},
        ticket::Ticket,
    },
    texts::Language,
    wait::wait,
};

/// Calls at the same time.
const IN_FLIGHT: usize = 3;
/// Pictures of so many bytes share a call, as a call costs the browser as much work as some hundred kilobytes do: fewer at
/// first and where calls are slow, because the server waits for each only so long.
const CALL_BYTES_MIN: f64 = (64 << 10) as f64;
const CALL_BYTES_FIRST: f64 = (256 << 10) as f64;
const CALL_BYTES_MAX: f64 = (2 << 20) as f64;
/// Below this the next calls may be longer.
const QUICK_MS: f64 = 1_000.0;
/// Above it they are shorter.
const SLOW_MS: f64 = 3_000.0;
/// Calls about the same pictures, where the server asks to come again later, before they are given up: those in a row in
/// whose time no picture of the list was answered.
const CALLS_IN_VAIN_MAX: u32 = 5;
/// So long after work has begun answers come before thumbnails.
const HURRY_MS: f64 = 2_000.0;
/// Counting and sorting follow the rows this much later, all changes of that time at once; but at once when all are done.
const PULSE: Duration = Duration::from_millis(250);

/// The pictures that came together or one after another. A handle: copies mean the same list.
#[derive(Clone, Copy)]
pub(crate) struct Many {
    session: Session,
    rows: RwSignal<Vec<Row>>,
    selected: RwSignal<Option<Row>>,
    next_place: StoredValue<usize>,
    milestone: RwSignal<Option<Count>>,
    pulse: Trigger,
    is_pulse_due: StoredValue<bool>,
    workers: StoredValue<usize>,
    work_began_ms: StoredValue<f64>,
    calls: StoredValue<usize>,
    call_bytes: StoredValue<f64>,
    answers: StoredValue<usize>,
    /// Of the rows' signals, so that their memory comes back with the list.
    owner: StoredValue<Owner, LocalStorage>,
}

/// How many rows are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(super) all: usize,
    pub(super) answered: usize,
    pub(super) failed: usize,
    pub(super) worth_retrying: usize,
}

impl Count {
    pub(super) fn finished(self) -> usize {
        self.answered + self.failed
    }

    pub(crate) fn is_unfinished(self) -> bool {
        self.finished() < self.all
    }

    pub(crate) fn sentence(self, language: Language) -> String {
        language.so_many_done(self.finished(), self.all, self.failed)
    }

    /// Who hears the page is told of each tenth rather than of each picture.
    fn tenth(self) -> (usize, usize) {
        (self.all, self.finished() * 10 / self.all.max(1))
    }
}

impl Many {
    /// A list whose selected picture the session shows.
    pub(crate) fn new(session: Session) -> Self {
        let many = Self {
            session,
            rows: RwSignal::new(Vec::new()),
            selected: RwSignal::new(None),
            next_place: StoredValue::new(0),
            milestone: RwSignal::new(None),
            pulse: Trigger::new(),
            is_pulse_due: StoredValue::new(false),
            workers: StoredValue::new(0),
            work_began_ms: StoredValue::new(0.0),
            calls: StoredValue::new(0),
            call_bytes: StoredValue::new(CALL_BYTES_FIRST),
            answers: StoredValue::new(0),
            owner: StoredValue::new_local(Owner::new()),
        };
        Effect::new(move |shown: Option<Option<Shown>>| many.show_selected(shown.flatten()));
        Effect::new(move || many.note_milestone());
        many
    }

    pub(crate) fn is_empty(self) -> bool {
        self.rows.with(Vec::is_empty)
    }

    pub(super) fn rows(self) -> ReadSignal<Vec<Row>> {
        self.rows.read_only()
    }

    /// Runs whatever reads it some time after a row has changed.
    pub(super) fn follow(self) {
        self.pulse.track();
    }

    /// How far the list is, told now and then.
    pub(crate) fn milestone(self) -> ReadSignal<Option<Count>> {
        self.milestone.read_only()
    }

    fn note_milestone(self) {
        let count = self.count();
        let noted = self.milestone.get_untracked();
        if count.all == 0 {
            if noted.is_some() {
                self.milestone.set(None);
            }
        } else if noted.map(Count::tenth) != Some(count.tenth()) {
            self.milestone.set(Some(count));
        }
    }

    pub(crate) fn selected(self) -> Option<Row> {
        self.selected.get()
    }

    pub(crate) fn is_selected(self) -> bool {
        self.selected.with_untracked(Option::is_some)
    }

    /// How far the selected row's call is.
    pub(crate) fn step(self) -> Option<Step> {
        self.selected.get().map(|row| row.step().get())
    }

    pub(super) fn count(self) -> Count {
        self.follow();
        self.rows.with(|rows| {
            let states = rows.iter().map(|row| row.state);
            states.fold(Count::default(), |count, state| {
                state.with_untracked(|state| Count {
                    all: count.all + 1,
                    answered: count.answered + usize::from(state.is_answered()),
                    failed: count.failed + usize::from(state.is_failed()),
                    worth_retrying: count.worth_retrying + usize::from(state.is_worth_retrying()),
                })
            })
        })
    }

    /// At the end of the list, in their order. The first of a new list is shown at once.
    pub(crate) fn add(self, found: Vec<Found>) {
        let is_new = self.rows.with_untracked(Vec::is_empty);
        let first_place = self.next_place.get_value();
        self.next_place.set_value(first_place + found.len());
        let owner = self.owner.get_value();
        let new: Vec<_> = owner.with(|| {
            let places = first_place..;
            places
                .zip(found)
                .map(|(place, found)| Row::new(place, found))
                .collect()
        });
        let first = new.first().copied();
        self.rows.update(|rows| rows.extend(new));
        if is_new {
            self.selected.set(first);
        }
        self.changed();
        self.work();
    }

    pub(crate) fn select(self, row: Option<Row>) {
        self.selected.set(row);
    }

    pub(crate) fn cancel_selected(self) {
        if let Some(row) = self.selected.get_untracked() {
            self.cancel(row);
        }
    }

    pub(super) fn cancel(self, row: Row) {
        row.cancel();
        self.changed();
    }

    pub(super) fn cancel_all(self) {
        self.rows
            .with_untracked(|rows| rows.iter().for_each(|row| row.cancel()));
        self.changed();
    }

    pub(crate) fn retry_selected(self) {
        if let Some(row) = self.selected.get_untracked() {
            self.retry(row);
        }
    }

    pub(super) fn retry(self, row: Row) {
        row.wait();
        self.changed();
        self.work();
    }

    /// All that failed or were cancelled and may end otherwise.
    pub(crate) fn retry_failed(self) {
        for row in self.rows.get_untracked() {
            if row.state.with_untracked(State::is_worth_retrying) {
                row.wait();
            }
        }
        self.changed();
        self.work();
    }

    /// Gives everything up and its memory back.
    pub(crate) fn clear(self) {
        self.cancel_all();
        self.selected.set(None);
        self.rows.set(Vec::new());
        self.session.show(Phase::Empty);
        // Once the views of the rows are gone.
        let owner = self.owner.get_value();
        self.owner.set_value(Owner::new());
        set_timeout(move || owner.cleanup(), PULSE);
    }

    /// Whether what is not answers should wait: a short list is done before one has looked at it.
    pub(super) fn is_in_a_hurry(self) -> bool {
        self.workers.get_value() > 0 && now_ms() < self.work_began_ms.get_value() + HURRY_MS
    }

    /// As many at a time as pays, each the next in order.
    fn work(self) {
        let waiting = self
            .rows
            .with_untracked(|rows| rows.iter().filter(|row| row.is_waiting()).count());
        let workers = self.workers.get_value();
        if workers == 0 {
            self.work_began_ms.set_value(now_ms());
        }
        for _ in workers..IN_FLIGHT.min(workers + waiting) {
            self.workers.update_value(|workers| *workers += 1);
            spawn_local(async move {
                loop {
                    let rows = self.next_waiting();
                    if rows.is_empty() {
                        break;
                    }
                    self.call(rows).await;
                }
                self.workers.update_value(|workers| *workers -= 1);
            });
        }
    }

    /// The first ones that fit into a call; a large one by itself.
    fn next_waiting(self) -> Vec<Row> {
        let limits = self.session.terms().limits;
        let call_bytes = self.call_bytes.get_value();
        let mut bytes = 0.0;
        self.rows.with_untracked(|rows| {
            let waiting = rows.iter().copied().filter(|row| row.is_waiting());
            let fits = |(at, row): &(usize, Row)| {
                bytes += row.file().map_or(0.0, |file| file.size());
                *at == 0 || bytes <= call_bytes
            };
            let next = waiting.take(limits.batch_images_max).enumerate();
            next.take_while(fits).map(|(_, row)| row).collect()
        })
    }

    fn call(self, rows: Vec<Row>) -> impl Future<Output = ()> + 'static {
        let number = self.calls.get_value();
        self.calls.set_value(number + 1);
        let (ticket, work) = Ticket::issue(self.ask(number, rows.clone()));
        let call = Call::new(number, ticket);
        rows.iter().for_each(|row| row.join(call.clone()));
        work
    }

    /// Again, where the server says when; a list has time.
    async fn ask(self, call: usize, rows: Vec<Row>) {
        let mut rows: Vec<_> = rows.into_iter().filter_map(picked).collect();
        let mut calls_in_vain = 0;
        while !rows.is_empty() {
            let answers = self.answers.get_value();
            let asked: Vec<_> = rows.iter().map(|(_, asked)| asked.clone()).collect();
            let outcomes = request::ask(&self.session.terms(), &asked).await;
            let answered = outcomes.iter().flatten();
            if let Some((_, took_ms)) = answered.clone().next() {
                self.adapt(*took_ms);
            }
            self.answers
                .update_value(|answers| *answers += answered.count());
            calls_in_vain += 1;
            if self.answers.get_value() > answers {
                calls_in_vain = 0;
            }
            let mut put_off = Vec::new();
            let mut wait_ms = 0;
            for ((row, asked), outcome) in rows.into_iter().zip(outcomes) {
                match outcome {
                    _ if !row.is_in(call) => {} // given up meanwhile
                    Ok((answer, took_ms)) => row.settle(State::Answered(answer.into(), took_ms)),
                    Err(fault) => match fault.retry_after_ms() {
                        Some(ms) if calls_in_vain < CALLS_IN_VAIN_MAX => {
                            row.step.set(Step::Queued);
                            wait_ms = wait_ms.max(ms);
                            put_off.push((row, asked));
                        }
                        _ => self.fail(row, fault),
                    },
                }
            }
            self.changed();
            if !put_off.is_empty() {
                wait(Duration::from_millis(
                    wait_ms.try_into().unwrap_or(u64::MAX),
                ))
                .await;
            }
            put_off.retain(|(row, _)| row.is_in(call));
            rows = put_off;
        }
    }

    /// To what the link and the server can do.
    fn adapt(self, took_ms: f64) {
        self.call_bytes.update_value(|bytes| {
            if took_ms < QUICK_MS {
                *bytes = (*bytes * 2.0).min(CALL_BYTES_MAX);
            } else if took_ms > SLOW_MS {
                *bytes = (*bytes / 2.0).max(CALL_BYTES_MIN);
            }
        });
    }

    /// Nobody gets an answer without a token: where it is missing, the rest need not try.
    fn fail(self, row: Row, fault: Fault) {
        self.session.heed(&fault.failure);
        let needs_token = fault.remedy() == Remedy::AccessToken;
        let state = State::Failed(fault.into());
        row.settle(state.clone());
        if needs_token {
            self.rows.with_untracked(|rows| {
                let waiting = rows.iter().filter(|row| row.is_waiting());
                waiting.for_each(|row| row.settle(state.clone()));
            });
            self.selected.set(Some(row));
        }
    }

    fn changed(self) {
        if self.is_done() {
            self.pulse.notify();
        } else if !self.is_pulse_due.get_value() {
            self.is_pulse_due.set_value(true);
            let pulse = move || {
                self.is_pulse_due.set_value(false);
                self.pulse.notify();
            };
            set_timeout(pulse, PULSE);
        }
    }

    fn is_done(self) -> bool {
        self.rows.with_untracked(|rows| {
            let mut states = rows.iter().map(|row| row.state);
            states.all(|state| !state.with_untracked(State::is_unfinished))
        })
    }

    /// The same picture stays the same object from asking to answer, so that its preview does not flicker.
    fn show_selected(self, shown: Option<Shown>) -> Option<Shown> {
        let row = self.selected.get()?;
        let picked = match shown {
            Some((place, picked)) if place == row.place => picked,
            _ => row.file().and_then(Picked::file),
        };
        self.session.show(row.phase(picked.clone()));
        Some((row.place, picked))
    }
}

/// None where it is surely no picture.
fn picked(row: Row) -> Option<(Row, Asked)> {
    let step = row.step;
    match row.file().and_then(Picked::file) {
        Ok(picked) => Some((row, Asked { picked, step })),
        Err(failure) => {
            row.settle(State::Failed(Arc::new(failure.into())));
            None
        }
    }
}

type Shown = (usize, Result<Picked, crate::failure::Failure>);
