use leptos::{ev, prelude::*, task::spawn_local};

use crate::{
    announcement::Announcement,
    api::ApiDrawer,
    batch::{list::Many, table::ManyPictures},
    failure::{Failure, Remedy},
    header::Header,
    image::{picked::Picked, sample::Sample},
    inputs::{
        address::Address,
        drop_zone,
        found::{Dropped, Found},
        paste,
        pick_buttons::PickButtons,
        samples::Samples,
    },
    notice::Notice,
    preview::frame::Frame,
    result::{outcome::Outcome, synonyms::Names},
    session::{Phase, Session},
    settings::{language, shrink_switch::ShrinkSwitch, viewing::Viewing},
};

/// The page: every way in on one side, the answer on the other.
#[component]
pub(crate) fn App() -> impl IntoView {
    language::provide();
    Viewing::provide();
    Names::provide(Viewing::known().names);
    Notice::provide();
    let language = language::spoken();
    let session = Session::new();
    let phase = session.phase();
    let many = Many::new(session);
    let on_files = Callback::new(move |found: Vec<Found>| take(session, many, found));
    let on_dropped = Callback::new(move |dropped: Dropped| {
        spawn_local(async move { on_files.run(dropped.files().await) });
    });
    let on_addresses = Callback::new(move |addresses: Vec<Address>| {
        many.select(None);
        session.fetch(addresses, on_files);
    });
    let on_failure = Callback::new(move |failure: Failure| {
        many.select(None);
        session.ask(Err(failure));
    });
    let on_sample = Callback::new(move |sample: &'static Sample| {
        many.select(None);
        session.ask(Ok(Picked::sample(sample)));
    });
    let on_retry = Callback::new(move |remedy| match remedy {
        Remedy::Shrink => session.shrink_and_retry(),
        _ if many.is_selected() => many.retry_selected(),
        _ => session.retry(),
    });
    let on_token = Callback::new(move |token: String| {
        if !session.use_token(&token) {
        } else if many.is_selected() {
            many.retry_failed();
        } else {
            session.retry();
        }
    });
    let on_cancel = Callback::new(move |()| {
        if many.is_selected() {
            many.cancel_selected();
        } else {
            session.cancel();
        }
    });
    let step = Signal::derive(move || many.step().unwrap_or_else(|| session.step().get()));
    session.show_shared();
    let address = window_event_listener(ev::hashchange, move |_| {
        many.select(None);
        session.show_shared();
    });
    on_cleanup(move || address.remove());
    let drawer = RwSignal::new(false);
    let hovering = drop_zone::listen(on_dropped, on_addresses, on_failure);
    paste::listen(on_files, on_addresses, on_failure);

    view! {
        <Header drawer />
        <main>
            <div
                class="stage"
                data-phase=move || phase.with(Phase::name)
                data-hovering=move || hovering.get().to_string()
            >
                <Frame phase model=session.model() />
                <div class="ways-in">
                    <PickButtons on_files />
                    <p class="hint">
                        {move || language.get().or_drop_or_paste()}
                        <span class="keys"><kbd>"Ctrl"</kbd> " " <kbd>"V"</kbd></span>
                    </p>
                    <ShrinkSwitch shrinking=session.shrinking() />
                </div>
                <Outcome phase step model=session.model() on_retry on_token on_cancel />
            </div>
            <ManyPictures many />
            <Samples on_sample />
            <Announcement phase many />
        </main>
        <ApiDrawer open=drawer />
    }
}

/// One picture is asked about at once; several, or more while there is a list, are the list's.
fn take(session: Session, many: Many, mut found: Vec<Found>) {
    match found.len() {
        0 => session.ask(Err(Failure::NothingFound)),
        1 if many.is_empty() => session.ask(found.remove(0).file.and_then(Picked::file)),
        _ => many.add(found),
    }
}
