use leptos::{ev, prelude::*, task::spawn_local};

use crate::{
    announcement::Announcement,
    api::ApiDrawer,
    batch::{list::Batch, table::BatchSection},
    failure::{Failure, Remedy},
    footer::Footer,
    header::Header,
    image::{picked::Picked, sample::Sample},
    inputs::{
        address::Address, drop_zone, dropped::Dropped, input_file::InputFile, paste,
        pick_buttons::PickButtons, samples::Samples,
    },
    model_menu::ModelMenu,
    notice::Notice,
    preview::frame::Frame,
    result::{
        answer::AnswerActions,
        correction::Correction,
        history::{Comparison, HistoryStrip},
        outcome::Outcome,
        synonyms::Synonyms,
    },
    session::{Session, history::Entry, phase::Phase},
    settings::{
        language::{self, said},
        shrink_switch::ShrinkSwitch,
        view_settings::ViewSettings,
    },
    texts::Language,
};

/// The page: the image, its answer beside or below it, and the ways to another image.
#[component]
pub(crate) fn App() -> impl IntoView {
    language::provide();
    ViewSettings::provide();
    Synonyms::provide(ViewSettings::current().names);
    Notice::provide();
    let session = Session::new();
    let phase = session.phase();
    let batch = Batch::new(session);
    let on_files = Callback::new(move |files: Vec<InputFile>| take(session, batch, files));
    let on_dropped = Callback::new(move |dropped: Dropped| {
        spawn_local(async move { on_files.run(dropped.files().await) });
    });
    let on_addresses = Callback::new(move |addresses: Vec<Address>| {
        batch.select(None);
        session.fetch(addresses, on_files);
    });
    let on_failure = Callback::new(move |failure: Failure| {
        batch.select(None);
        session.classify(Err(failure));
    });
    let on_sample = Callback::new(move |sample: &'static Sample| {
        batch.select(None);
        session.classify(Ok(Picked::sample(sample)));
    });
    let on_entry = Callback::new(move |entry: Entry| {
        batch.select(None);
        session.recall(&entry);
    });
    let on_retry = Callback::new(move |remedy| match remedy {
        Remedy::Shrink => session.shrink_and_retry(),
        _ if batch.is_selected() => batch.retry_selected(),
        _ => session.retry(),
    });
    let on_token = Callback::new(move |token: String| {
        if !session.use_token(&token) {
        } else if batch.is_selected() {
            batch.retry_rest();
        } else {
            session.retry();
        }
    });
    let on_cancel = Callback::new(move |()| {
        if batch.is_selected() {
            batch.cancel_selected();
        } else {
            session.cancel();
        }
    });
    let on_model = Callback::new(move |name: String| {
        session.models().choose(&name);
        batch.classify_again();
        if !batch.is_selected() {
            session.retry();
        }
    });
    let actions = AnswerActions {
        on_compare: Callback::new(move |()| session.pin_shown()),
        correction: Correction {
            is_accepted: session.models().accepts_feedback(),
            state: session.correction(),
            on_label: Callback::new(move |label| session.correct(label)),
        },
    };
    let step = Signal::derive(move || batch.step().unwrap_or_else(|| session.step().get()));
    session.show_shared();
    let address = window_event_listener(ev::hashchange, move |_| {
        batch.select(None);
        session.show_shared();
    });
    on_cleanup(move || address.remove());
    let drawer = RwSignal::new(false);
    let hovering = drop_zone::listen(on_dropped, on_addresses, on_failure);
    paste::listen(on_files, on_addresses, on_failure);
    let models = session.models();
    let is_pictured = Signal::derive(move || phase.with(|phase| phase.picked().is_some()));

    view! {
        <Header drawer />
        <main>
            <div
                class="stage"
                data-phase=move || phase.with(Phase::name)
                data-pictured=move || is_pictured.get().to_string()
                data-hovering=move || hovering.get().to_string()
            >
                <Frame phase model=models.model() />
                <Outcome phase step actions model=models.model() on_retry on_token on_cancel />
                <ModelMenu models on_model />
                <div class="ways-in">
                    <PickButtons on_files is_pictured />
                    <p class="hint keys">
                        {said(Language::or_paste)} <kbd>"Ctrl"</kbd> " " <kbd>"V"</kbd>
                    </p>
                    <ShrinkSwitch shrinking=session.shrinking() />
                </div>
                <p class="drop-here" aria-hidden="true">{said(Language::drop_it)}</p>
            </div>
            <Comparison history=session.history() phase />
            <BatchSection batch />
            <HistoryStrip history=session.history() phase on_entry />
            <Samples on_sample />
            <Announcement phase batch />
        </main>
        <Footer accepts_feedback=models.accepts_feedback() />
        <ApiDrawer open=drawer models />
    }
}

/// One image is classified at once; several become a batch, and further ones join it.
fn take(session: Session, batch: Batch, mut files: Vec<InputFile>) {
    match files.len() {
        0 => session.classify(Err(Failure::NothingFound)),
        1 if !batch.has_rows() => session.classify(files.remove(0).file.and_then(Picked::file)),
        _ => batch.add(files),
    }
}
