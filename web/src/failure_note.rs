use leptos::prelude::*;

use crate::{failure::Failure, language};

/// A failure as a sentence, with a button where trying again can help. The button works at once, also where the server asks
/// to wait: who cannot see it change need not watch it, and a call too early is only refused again.
#[component]
pub(crate) fn FailureNote(failure: Failure, on_retry: Option<Callback<()>>) -> impl IntoView {
    let language = language::spoken();
    view! {
        <p id="failure" class="failure" data-testid="failure">
            {move || failure.sentence(language.get())}
        </p>
        {on_retry.map(|on_retry| view! {
            <button type="button" class="retry" on:click=move |_| on_retry.run(())>
                {move || language.get().try_again()}
            </button>
        })}
    }
}
