use leptos::prelude::*;

use crate::{
    session::models::Models,
    settings::language::{self, said},
    texts::Language,
};

/// How many classes are named under the menu; of longer lists only the number is.
const LABELS_MAX: usize = 12;

/// The menu of the server's models, where it has several, and what the chosen one can tell apart.
#[component]
pub(crate) fn ModelMenu(models: Models, on_model: Callback<String>) -> impl IntoView {
    let language = language::spoken();
    let offered = models.offered();
    let options = move || {
        let names = offered.get().names.into_iter();
        names
            .map(|name| {
                let value = name.clone();
                view! { <option prop:selected=move || models.is_chosen(&value)>{name}</option> }
            })
            .collect_view()
    };
    let classes = move || {
        let labels = models.model().with(|model| model.labels.clone());
        let count = language.get().classes(labels.len() as u64);
        match labels.len() {
            0 => String::new(),
            1..=LABELS_MAX => format!("{count}: {}", labels.join(", ")),
            _ => count,
        }
    };
    view! {
        <Show when=move || offered.with(|offered| offered.names.len() > 1)>
            <div class="model">
                <label for="model">{said(Language::model)}</label>
                <select
                    id="model"
                    aria-describedby="model-classes"
                    on:change=move |event| on_model.run(event_target_value(&event))
                >
                    {options}
                </select>
                <p id="model-classes" class="small" data-testid="classes">{classes}</p>
            </div>
        </Show>
    }
}
