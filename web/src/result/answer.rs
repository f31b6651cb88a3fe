use imageclassifier_client::Answer;
use leptos::prelude::*;

use crate::{
    confidence::Certainty,
    copy_button::CopyButton,
    result::{
        bars::Classes,
        correction::{Correction, CorrectionForm},
        details::Details,
        synonyms,
    },
    session::{
        phase::has_heatmaps,
        server::Model,
        shared::{self, Shared},
    },
    settings::{
        language::{self, said},
        view_settings::{TOPS, ViewSettings},
    },
    texts::Language,
};

/// What an answer can be used for.
#[derive(Clone, Copy)]
pub(crate) struct AnswerActions {
    /// Keeps the answer in view, to compare others with it.
    pub(crate) on_compare: Callback<()>,
    pub(crate) correction: Correction,
}

/// The classes and their confidence first; below, how they are shown, what can be done, and the details.
#[component]
pub(crate) fn AnswerCard(
    answer: Answer,
    took_ms: f64,
    model: ReadSignal<Model>,
    actions: AnswerActions,
) -> impl IntoView {
    ViewSettings::current().class.set(0);
    let link = Shared::of(&answer).link();
    let on_compare = actions.on_compare;
    view! {
        <Classes
            predictions=answer.predictions.clone()
            certainty=Certainty::of(&answer)
            can_explain=has_heatmaps(&answer)
        />
        <div class="actions">
            <Controls count=answer.predictions.len() model />
            <CopyButton text=Signal::stored(link) label=Language::copy_link />
            <button type="button" class="plain" on:click=move |_| on_compare.run(())>
                {said(Language::compare)}
            </button>
            <CorrectionForm correction=actions.correction model />
        </div>
        <Details answer took_ms model />
    }
}

/// A shared result: without the image, and so without an explanation.
#[component]
pub(crate) fn SharedCard(shared: Shared) -> impl IntoView {
    let language = language::spoken();
    let (model, revision) = (
        shared.model().to_owned(),
        shared.model_revision().to_owned(),
    );
    view! {
        <p class="shared" data-testid="shared">{said(Language::was_shared)}</p>
        <Classes predictions=shared.predictions() certainty=shared.certainty() can_explain=false />
        <p class="small" data-testid="model">
            {move || language.get().model_and_revision(&model, &revision)}
        </p>
        <p class="actions">
            <a href="#" class="plain" on:click=|event| {
                event.prevent_default();
                shared::leave();
            }>{said(Language::try_your_own)}</a>
        </p>
    }
}

/// Placeholders for a result to come, in its place.
#[component]
pub(crate) fn AnswerOutline() -> impl IntoView {
    let bars = (0..4).map(|_| view! { <li></li> });
    view! {
        <p class="best pending">{said(Language::classifying)}</p>
        <ol class="outline" aria-hidden="true">{bars.collect_view()}</ol>
    }
}

/// How many classes are shown, where there are more than the fewest, and whether with synonyms, where they have some.
#[component]
fn Controls(count: usize, model: ReadSignal<Model>) -> impl IntoView {
    let language = language::spoken();
    let viewing = ViewSettings::current();
    let choose = move |event| {
        if let Ok(top) = event_target_value(&event).parse() {
            viewing.top.set(top);
        }
    };
    let tops = (count > TOPS[0]).then(|| {
        let fewer = [0].into_iter().chain(TOPS);
        // Not two that show all classes.
        let different = TOPS
            .into_iter()
            .zip(fewer)
            .filter(|(_, fewer)| *fewer < count);
        let options = different.map(|(top, _)| {
            view! {
                <option value=top.to_string() selected=move || viewing.top.get() == top>
                    {move || language.get().top(top.min(count))}
                </option>
            }
        });
        let options = options.collect_view();
        view! {
            <select aria-label=said(Language::classes_shown) on:change=choose>{options}</select>
        }
    });
    let has_synonyms = move || model.with(|model| synonyms::are_for(&model.labels));
    view! {
        {tops}
        <button
            type="button"
            class="plain"
            hidden=move || !has_synonyms()
            aria-pressed=move || viewing.names.get().to_string()
            on:click=move |_| viewing.names.update(|names| *names = !*names)
        >
            {said(Language::synonyms)}
        </button>
    }
}
