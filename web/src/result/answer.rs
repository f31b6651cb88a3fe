use imageclassifier_client::Answer;
use leptos::prelude::*;

use crate::{
    confidence::Certainty,
    copy_button::CopyButton,
    result::{bars::Bars, details::Details, time_bar::TimeBar},
    session::{
        server::Model,
        shared::{self, Shared},
    },
    settings::{
        language,
        view_settings::{TOPS, ViewSettings},
    },
    texts::Language,
};

/// The most probable classes, each on the same scale from 0 to 100; why; and how the time was spent.
#[component]
pub(crate) fn AnswerCard(answer: Answer, took_ms: f64, model: ReadSignal<Model>) -> impl IntoView {
    let viewing = ViewSettings::current();
    viewing.class.set(0);
    let link = Shared::of(&answer).link();
    let can_explain = answer
        .predictions
        .iter()
        .all(|prediction| prediction.heatmap.is_some());
    let timings = answer.timings;
    view! {
        <Verdict
            label=answer.label.clone()
            confidence=answer.confidence
            certainty=Certainty::of(&answer)
        />
        // Above the bars, so that they stay under the pointer however many bars there are.
        <Controls can_explain />
        <Bars predictions=answer.predictions.clone() can_explain />
        <TimeBar took_ms timings />
        <div class="actions">
            <CopyButton text=Signal::stored(link) label=Language::copy_link />
        </div>
        <Details answer model />
    }
}

/// A shared result: without the image, and so without an explanation.
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
        <Verdict
            label=shared.label().to_owned()
            confidence=shared.confidence()
            certainty=shared.certainty()
        />
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

/// Placeholders for a result to come.
#[component]
pub(crate) fn AnswerOutline() -> impl IntoView {
    let language = language::spoken();
    let bars = (0..5).map(|_| view! { <li></li> });
    view! {
        <p class="eyebrow">{move || language.get().classifying()}</p>
        <ol class="outline" aria-hidden="true">{bars.collect_view()}</ol>
    }
}

/// The best class, or that it is unknown; and the doubt in words.
#[component]
fn Verdict(label: String, confidence: f32, certainty: Certainty) -> impl IntoView {
    let language = language::spoken();
    let heading = match certainty {
        Certainty::Unknown => view! {
            <h2 data-testid="label">{move || language.get().unknown()}</h2>
        }
        .into_any(),
        Certainty::Sure | Certainty::Unsure => {
            let eyebrow = move || match certainty {
                Certainty::Unsure => language.get().possibly(),
                Certainty::Sure | Certainty::Unknown => language.get().looks_like(),
            };
            view! {
                <p class="eyebrow">{eyebrow}</p>
                <h2 data-testid="label" lang="en">{label.clone()}</h2>
            }
            .into_any()
        }
    };
    let note = move || {
        let note = certainty.note(&label, confidence, language.get())?;
        Some(view! { <p class="unsure" data-testid="unsure">{note}</p> })
    };
    view! {
        {heading}
        {note}
    }
}

/// Controls for how the result is shown.
#[component]
fn Controls(can_explain: bool) -> impl IntoView {
    let language = language::spoken();
    let viewing = ViewSettings::current();
    let choose = move |event| {
        if let Ok(top) = event_target_value(&event).parse() {
            viewing.top.set(top);
        }
    };
    let tops = TOPS.map(|top| {
        view! {
            <option value=top.to_string() selected=move || viewing.top.get() == top>
                {move || language.get().top(top)}
            </option>
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
                {move || language.get().synonyms()}
            </button>
            <select aria-label=move || language.get().classes_shown() on:change=choose>{tops}</select>
        </div>
    }
}
