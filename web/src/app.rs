use leptos::{ev, prelude::*};
use web_sys::File;

use crate::{
    announcement::{Announcement, Said},
    api::ApiDrawer,
    drop_zone,
    failure::Failure,
    frame::Frame,
    header::Header,
    language,
    names::Names,
    outcome::Outcome,
    paste,
    pick_button::PickButton,
    picked::Picked,
    samples::{Sample, Samples},
    session::{Phase, Session},
    viewing::Viewing,
};

/// The page: every way in on one side, the answer on the other.
#[component]
pub(crate) fn App() -> impl IntoView {
    language::provide();
    Viewing::provide();
    Names::provide(Viewing::known().names);
    Said::provide();
    let language = language::spoken();
    let session = Session::new();
    let phase = session.phase();
    let on_file = Callback::new(move |file: File| session.ask(session.pick(file)));
    let on_sample = Callback::new(move |sample: &'static Sample| {
        session.ask(Ok(Picked::sample(sample)));
    });
    let on_retry = Callback::new(move |()| session.retry());
    let on_token = Callback::new(move |token: String| session.use_token(&token));
    session.show_shared();
    let address = window_event_listener(ev::hashchange, move |_| session.show_shared());
    on_cleanup(move || address.remove());
    let drawer = RwSignal::new(false);
    let hovering = drop_zone::listen(on_file);
    paste::listen(
        on_file,
        Callback::new(move |()| session.ask(Err(Failure::NothingPasted))),
    );

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
                    <PickButton on_file />
                    <p class="hint">
                        {move || language.get().or_drop_or_paste()}
                        <span class="keys"><kbd>"Ctrl"</kbd> " " <kbd>"V"</kbd></span>
                    </p>
                </div>
                <Outcome phase model=session.model() on_retry on_token />
            </div>
            <Samples on_sample />
            <Announcement phase />
        </main>
        <ApiDrawer open=drawer />
    }
}
