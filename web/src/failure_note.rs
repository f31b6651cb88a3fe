use leptos::prelude::*;

use crate::failure::Failure;

/// A failure as a sentence, with a button where trying again can help. The button works at once, also where the server asks
/// to wait: who cannot see it change need not watch it, and a call too early is only refused again.
#[component]
pub(crate) fn FailureNote(failure: Failure, on_retry: Option<Callback<()>>) -> impl IntoView {
    view! {
        <p id="failure" class="failure" data-testid="failure">{failure.sentence().to_owned()}</p>
        {on_retry.map(|on_retry| view! {
            <button type="button" class="retry" on:click=move |_| on_retry.run(())>"Try again"</button>
        })}
    }
}
