use imageclassifier_client::Prediction;
use leptos::{ev::MouseEvent, prelude::*};

use crate::{
    confidence::Certainty,
    result::synonyms::Synonyms,
    settings::{
        language::{self, said},
        view_settings::{View, ViewSettings},
    },
    texts::Language,
};

/// The classes, most probable first, each with its confidence on the same scale from 0 to 100: the best as the heading of the
/// result, or that the image is unknown, with the doubt in words.
#[component]
pub(crate) fn Classes(
    predictions: Vec<Prediction>,
    certainty: Certainty,
    can_explain: bool,
) -> impl IntoView {
    let language = language::spoken();
    let viewing = ViewSettings::current();
    let names = Synonyms::current();
    let best = predictions.first().cloned().unwrap_or_default();
    let is_unknown = certainty == Certainty::Unknown;
    let heading = if is_unknown {
        let text = said(Language::unknown);
        view! { <div class="best"><h2 data-testid="label">{text}</h2></div> }.into_any()
    } else {
        view! { <Class prediction=best.clone() position=0 is_heading=true can_explain names /> }
            .into_any()
    };
    let note = move || {
        let note = certainty.note(&best.label, best.confidence, language.get())?;
        Some(view! { <p class="unsure" data-testid="unsure">{note}</p> })
    };
    let others = move || {
        let shown = predictions.iter().enumerate().take(viewing.top.get());
        shown
            .skip(usize::from(!is_unknown))
            .map(|(position, prediction)| {
                view! { <li><Class prediction=prediction.clone() position can_explain names /></li> }
            })
            .collect_view()
    };
    view! {
        {heading}
        {note}
        <ol class="bars">{others}</ol>
    }
}

/// A class as a line over its bar. Where it can be explained, its name shows the evidence for it over the image.
#[component]
fn Class(
    prediction: Prediction,
    position: usize,
    #[prop(optional)] is_heading: bool,
    can_explain: bool,
    names: Synonyms,
) -> impl IntoView {
    let language = language::spoken();
    let viewing = ViewSettings::current();
    let confidence = prediction.confidence;
    let percent = move || language.get().percent(confidence);
    // As the text says it, with one decimal.
    let value = Language::English.decimal(f64::from(confidence) * 100.0, 1);
    let explains = move || can_explain && viewing.view.get() == View::Heatmap;
    let is_shown = move || explains() && viewing.class.get() == position;
    let show = move || {
        if explains() && viewing.class.get_untracked() != position {
            viewing.class.set(position);
        }
    };
    // Ignored if the bar moves under a resting pointer.
    let point = move |event: MouseEvent| {
        if event.movement_x() != 0 || event.movement_y() != 0 {
            show();
        }
    };
    let explain = move |_| {
        viewing.class.set(position);
        viewing.view.set(View::Heatmap);
    };
    let label = prediction.label.clone();
    let class = if can_explain {
        view! {
            <button
                type="button"
                class="class"
                lang="en"
                aria-pressed=move || is_shown().to_string()
                on:focus=move |_| show()
                on:click=explain
            >
                {label.clone()}
            </button>
        }
        .into_any()
    } else {
        view! { <span class="class" lang="en">{label.clone()}</span> }.into_any()
    };
    let class = if is_heading {
        view! { <h2 data-testid="label" lang="en">{class}</h2> }.into_any()
    } else {
        class
    };
    let others = move || {
        let others = viewing.names.get().then(|| names.others(&prediction));
        let others = others.flatten()?;
        Some(view! { <span class="names" lang="en" data-testid="names">{others}</span> })
    };
    view! {
        <div class="bar" class:best=is_heading class:shown=is_shown on:mousemove=point>
            {class}
            <span class="percent" aria-hidden="true">{percent}</span>
            {others}
            <meter aria-label=label min="0" max="100" value=value>{percent}</meter>
        </div>
    }
}
