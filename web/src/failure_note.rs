use leptos::prelude::*;

use crate::failure::Failure;

/// A failure as a sentence, with a button where trying again can help.
#[component]
pub(crate) fn FailureNote(failure: Failure, on_retry: Option<Callback<()>>) -> impl IntoView {
    view! {
        <p class="failure" data-testid="failure">{failure.sentence().to_owned()}</p>
        {on_retry.map(|on_retry| view! {
            <button type="button" class="retry" on:click=move |_| on_retry.run(())>"Try again"</button>
        })}
    }
}
