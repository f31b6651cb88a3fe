use leptos::{prelude::*, task::spawn_local};

use crate::{
    image::picked::Picked,
    session::{phase::Phase, ticket::Ticket},
};

/// What an `<img>` shows.
#[derive(Clone)]
pub(super) struct Shown {
    pub(super) url: String,
    pub(super) name: String,
}

/// The picked image. It is the same from request to answer, so that it does not flicker, and the one before it stays until
/// its address is known.
pub(super) fn shown(phase: ReadSignal<Phase, LocalStorage>) -> ReadSignal<Option<Shown>> {
    let shown = RwSignal::new(None);
    let latest = StoredValue::new_local(None);
    let work = StoredValue::new_local(None);
    Effect::new(move || {
        let Some(picked) = phase.with(|phase| phase.picked().cloned()) else {
            latest.set_value(None);
            work.set_value(None);
            shown.set(None);
            return;
        };
        if latest.with_value(|latest: &Option<Picked>| {
            latest.as_ref().is_some_and(|latest| latest.is(&picked))
        }) {
            return;
        }
        latest.set_value(Some(picked.clone()));
        let (ticket, job) = Ticket::issue(async move {
            let url = picked.preview_url().await;
            let name = picked.name();
            shown.set(Some(Shown { url, name }));
        });
        work.set_value(Some(ticket));
        spawn_local(job);
    });
    shown.read_only()
}
