use imageclassifier_client::Prediction;
use leptos::{ev::MouseEvent, prelude::*};

use crate::{
    result::synonyms::Synonyms,
    settings::{language, view_settings::ViewSettings},
    texts::Language,
};

/// The classes and how probable each is, most probable first.
#[component]
pub(super) fn Bars(predictions: Vec<Prediction>, can_explain: bool) -> impl IntoView {
    let viewing = ViewSettings::current();
    let names = Synonyms::current();
    let bars = move || {
        let shown = predictions.iter().take(viewing.top.get()).enumerate();
        shown
            .map(|(position, prediction)| {
                view! { <Bar prediction=prediction.clone() position can_explain names /> }
            })
            .collect_view()
    };
    view! { <ol class="bars" class:explained=move || can_explain && viewing.why.get()>{bars}</ol> }
}

#[component]
fn Bar(
    prediction: Prediction,
    position: usize,
    can_explain: bool,
    names: Synonyms,
) -> impl IntoView {
    let language = language::spoken();
    let viewing = ViewSettings::current();
    let id = format!("class-{}", prediction.index);
    let confidence = prediction.confidence;
    let percent = move || language.get().percent(confidence);
    // As the text says it, with one decimal.
    let value = Language::English.decimal(f64::from(confidence) * 100.0, 1);
    let explains = move || can_explain && viewing.why.get();
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
    let label = prediction.label.clone();
    let class = {
        let id = id.clone();
        move || {
            let (id, label) = (id.clone(), label.clone());
            if explains() {
                view! {
                    <button
                        type="button"
                        class="class"
                        lang="en"
                        id=id
                        aria-pressed=move || is_shown().to_string()
                        on:focus=move |_| show()
                        on:click=move |_| show()
                    >
                        {label}
                    </button>
                }
                .into_any()
            } else {
                view! { <span class="class" lang="en" id=id>{label}</span> }.into_any()
            }
        }
    };
    let others = move || {
        let others = viewing
            .names
            .get()
            .then(|| names.others(&prediction))
            .flatten()?;
        Some(view! { <span class="names" lang="en" data-testid="names">{others}</span> })
    };
    view! {
        <li class:shown=is_shown on:mousemove=point>
            {class}
            <span class="percent" aria-hidden="true">{percent}</span>
            {others}
            <meter aria-labelledby=id min="0" max="100" value=value>{percent}</meter>
        </li>
    }
}
