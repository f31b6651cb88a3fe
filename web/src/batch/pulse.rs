use std::time::Duration;

use leptos::prelude::*;

use crate::batch::row::{Row, State};

/// Views follow the rows this much later, all changes of that time at once; but at once when all rows are finished.
pub(super) const PULSE: Duration = Duration::from_millis(250);

/// Tells the views that count and sort rows when to look again. A handle: copies mean the same pulse.
#[derive(Clone, Copy)]
pub(super) struct Pulse {
    rows: ReadSignal<Vec<Row>>,
    trigger: Trigger,
    is_due: StoredValue<bool>,
}

impl Pulse {
    pub(super) fn new(rows: ReadSignal<Vec<Row>>) -> Self {
        Self {
            rows,
            trigger: Trigger::new(),
            is_due: StoredValue::new(false),
        }
    }

    /// Reruns the effect or memo that calls it some time after a row has changed.
    pub(super) fn track(self) {
        self.trigger.track();
    }

    /// A row has changed.
    pub(super) fn changed(self) {
        if self.is_batch_finished() {
            self.trigger.notify();
        } else if !self.is_due.get_value() {
            self.is_due.set_value(true);
            let notify = move || {
                self.is_due.set_value(false);
                self.trigger.notify();
            };
            set_timeout(notify, PULSE);
        }
    }

    fn is_batch_finished(self) -> bool {
        self.rows.with_untracked(|rows| {
            let mut states = rows.iter().map(|row| row.state);
            states.all(|state| !state.with_untracked(State::is_unfinished))
        })
    }
}
