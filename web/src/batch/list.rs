use leptos::{prelude::*, reactive::owner::Owner};

use crate::{
    batch::{
        counts::Counts,
        pulse::{PULSE, Pulse},
        row::{Row, State},
        scheduler::Scheduler,
    },
    failure::Failure,
    image::picked::Picked,
    inputs::input_file::InputFile,
    session::{Session, phase::Phase, step::Step},
};

/// Images that came together or one after another, a row each. A handle: copies mean the same batch.
#[derive(Clone, Copy)]
pub(crate) struct Batch {
    session: Session,
    rows: RwSignal<Vec<Row>>,
    selected: RwSignal<Option<Row>>,
    next_place: StoredValue<usize>,
    milestone: RwSignal<Option<Counts>>,
    pulse: Pulse,
    scheduler: Scheduler,
    /// Of the rows' signals, so that their memory is released with the rows.
    owner: StoredValue<Owner, LocalStorage>,
}

/// The place of the selected row, and its image.
type Shown = (usize, Result<Picked, Failure>);

impl Batch {
    /// An empty batch. The session shows the selected row.
    pub(crate) fn new(session: Session) -> Self {
        let rows = RwSignal::new(Vec::new());
        let selected = RwSignal::new(None);
        let pulse = Pulse::new(rows.read_only());
        let batch = Self {
            session,
            rows,
            selected,
            next_place: StoredValue::new(0),
            milestone: RwSignal::new(None),
            pulse,
            scheduler: Scheduler::new(session, rows.read_only(), selected.write_only(), pulse),
            owner: StoredValue::new_local(Owner::new()),
        };
        Effect::new(move |shown: Option<Option<Shown>>| batch.show_selected(shown.flatten()));
        Effect::new(move || batch.note_milestone());
        batch
    }

    pub(crate) fn is_empty(self) -> bool {
        self.rows.with(Vec::is_empty)
    }

    /// Whether there are rows now. Untracked, for event handlers.
    pub(crate) fn has_rows(self) -> bool {
        self.rows.with_untracked(|rows| !rows.is_empty())
    }

    pub(super) fn rows(self) -> ReadSignal<Vec<Row>> {
        self.rows.read_only()
    }

    pub(super) fn pulse(self) -> Pulse {
        self.pulse
    }

    pub(super) fn scheduler(self) -> Scheduler {
        self.scheduler
    }

    pub(super) fn counts(self) -> Counts {
        self.pulse.track();
        self.rows.with(|rows| Counts::of(rows))
    }

    /// Progress to announce: the counts at each tenth of the batch; None while it is empty.
    pub(crate) fn milestone(self) -> ReadSignal<Option<Counts>> {
        self.milestone.read_only()
    }

    fn note_milestone(self) {
        let counts = self.counts();
        let noted = self.milestone.get_untracked();
        if counts.all == 0 {
            if noted.is_some() {
                self.milestone.set(None);
            }
        } else if noted.is_none_or(|noted| counts.is_news_after(noted)) {
            self.milestone.set(Some(counts));
        }
    }

    /// Appends the files in their order. The first of a new batch is selected.
    pub(crate) fn add(self, files: Vec<InputFile>) {
        let is_new = !self.has_rows();
        let first_place = self.next_place.get_value();
        self.next_place.set_value(first_place + files.len());
        let owner = self.owner.get_value();
        let new: Vec<_> = owner.with(|| {
            let places = first_place..;
            places
                .zip(files)
                .map(|(place, file)| Row::new(place, file))
                .collect()
        });
        let first = new.first().copied();
        self.rows.update(|rows| rows.extend(new));
        if is_new {
            self.selected.set(first);
        }
        self.pulse.changed();
        self.scheduler.run();
    }

    pub(crate) fn selected(self) -> Option<Row> {
        self.selected.get()
    }

    pub(crate) fn is_selected(self) -> bool {
        self.selected.with_untracked(Option::is_some)
    }

    /// The progress of the selected row's request.
    pub(crate) fn step(self) -> Option<Step> {
        self.selected.get().map(|row| row.step().get())
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
        self.pulse.changed();
    }

    pub(super) fn cancel_all(self) {
        self.rows
            .with_untracked(|rows| rows.iter().for_each(|row| row.cancel()));
        self.pulse.changed();
    }

    pub(crate) fn retry_selected(self) {
        if let Some(row) = self.selected.get_untracked() {
            self.retry(row);
        }
    }

    pub(super) fn retry(self, row: Row) {
        row.wait();
        self.pulse.changed();
        self.scheduler.run();
    }

    /// Retries the rows that were cancelled, and the failed ones for which a retry can help.
    pub(crate) fn retry_rest(self) {
        for row in self.rows.get_untracked() {
            if row.state.with_untracked(State::is_worth_retrying) {
                row.wait();
            }
        }
        self.pulse.changed();
        self.scheduler.run();
    }

    /// Classifies every image again, as requests are made now.
    pub(crate) fn classify_again(self) {
        self.rows
            .with_untracked(|rows| rows.iter().for_each(|row| row.restart()));
        self.pulse.changed();
        self.scheduler.run();
    }

    /// Cancels all requests and removes all rows.
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

    /// The same image stays the same object from request to answer, so that its preview does not flicker.
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
