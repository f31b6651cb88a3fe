use imageclassifier_client::Answer;
use leptos::prelude::*;

use crate::{
    confidence::{is_unsure, unsure_note},
    copy_button::CopyButton,
    result::{bars::Bars, details::Receipt, time_bar::TimeBar},
    session::{
        server::Model,
        shared::{self, Shared},
    },
    settings::{
        language,
        viewing::{TOPS, Viewing},
    },
    texts::Language,
};

/// The most probable classes, each on the same scale from 0 to 100; why; and where the time went.
#[component]
pub(crate) fn AnswerCard(answer: Answer, took_ms: f64, model: ReadSignal<Model>) -> impl IntoView {
    let viewing = Viewing::known();
    viewing.class.set(0);
    let link = Shared::of(&answer).link();
    let can_explain = answer
        .predictions
        .iter()
        .all(|prediction| prediction.heatmap.is_some());
    let timings = answer.timings;
    view! {
        <Verdict label=answer.label.clone() unsure=is_unsure(answer.confidence) />
        // Above the bars, so that they stay under the pointer however many bars there are.
        <Choices can_explain />
        <Bars predictions=answer.predictions.clone() can_explain />
        <TimeBar took_ms timings />
        <div class="actions">
            <CopyButton text=Signal::stored(link) label=Language::copy_link />
        </div>
        <Receipt answer model />
    }
}

/// An answer that somebody shared: no picture, and nothing to ask about it.
#[component]
pub(crate) fn SharedCard(shared: Shared) -> impl IntoView {
    let language = language::spoken();
    let predictions = shared.predictions();
    let (model, revision) = (
        shared.model().to_owned(),
        shared.model_revision().to_owned(),
    );
    view! {
        <p class="shared" data-testid="shared">{move || language.get().was_shared()}</p>
        <Verdict label=shared.label().to_owned() unsure=is_unsure(shared.confidence()) />
        <Bars predictions can_explain=false />
        <p class="small" data-testid="model">
            {move || language.get().model_and_revision(&model, &revision)}
        </p>
        <p class="actions">
            <a href="#" class="button quiet" on:click=|event| {
                event.prevent_default();
                shared::leave();
            }>{move || language.get().try_your_own()}</a>
        </p>
    }
}

/// The boxes of an answer to come.
#[component]
pub(crate) fn AnswerOutline() -> impl IntoView {
    let language = language::spoken();
    let bars = (0..5).map(|_| view! { <li></li> });
    view! {
        <p class="eyebrow">{move || language.get().looking()}</p>
        <ol class="outline" aria-hidden="true">{bars.collect_view()}</ol>
    }
}

#[component]
fn Verdict(label: String, unsure: bool) -> impl IntoView {
    let language = language::spoken();
    let eyebrow = move || {
        let language = language.get();
        if unsure {
            language.perhaps()
        } else {
            language.looks_like()
        }
    };
    view! {
        <p class="eyebrow">{eyebrow}</p>
        <h2 data-testid="label" lang="en">{label}</h2>
        {unsure.then(|| view! {
            <p class="unsure" data-testid="unsure">{move || unsure_note(language.get())}</p>
        })}
    }
}

/// How the answer is shown.
#[component]
fn Choices(can_explain: bool) -> impl IntoView {
    let language = language::spoken();
    let viewing = Viewing::known();
    let choose = move |event| {
        if let Ok(top) = event_target_value(&event).parse() {
            viewing.top.set(top);
        }
    };
    let tops = TOPS.map(|top| {
        view! {
            <option value=top.to_string() selected=move || viewing.top.get() == top>{top}</option>
        }
    });
    view! {
        <div class="choices">
            {can_explain.then(|| view! {
                <button
                    type="button"
                    class="quiet"
                    aria-pressed=move || viewing.why.get().to_string()
                    on:click=move |_| viewing.why.update(|why| *why = !*why)
                >
                    {move || language.get().why()}
                </button>
            })}
            <button
                type="button"
                class="quiet"
                aria-pressed=move || viewing.names.get().to_string()
                on:click=move |_| viewing.names.update(|names| *names = !*names)
            >
                {move || language.get().other_names()}
            </button>
            <label class="top">
                {move || language.get().show_best()}
                <select on:change=choose>{tops}</select>
            </label>
        </div>
    }
}
