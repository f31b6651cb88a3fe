use leptos::prelude::*;

use crate::{
    session::step::Step,
    settings::language::{self, said},
    texts::Language,
};

/// The progress of the request, and a button that cancels it. The style sheet shows both only after a moment: most requests
/// are finished by then.
#[component]
pub(crate) fn Progress(step: Signal<Step>, on_cancel: Callback<()>) -> impl IntoView {
    let language = language::spoken();
    view! {
        <div class="progress" data-testid="progress">
            <label for="progress">{move || step.get().text(language.get())}</label>
            <progress id="progress" max="1" prop:value=move || step.get().fraction()></progress>
            <button type="button" class="quiet" on:click=move |_| on_cancel.run(())>
                {said(Language::cancel)}
            </button>
        </div>
    }
}
