use leptos::prelude::*;

use crate::{
    failure::{Failure, Remedy},
    settings::language,
    texts::Language,
};

/// A failure as a sentence, with a button if a retry can help. The button works at once, even if the server asks to wait: a
/// request that comes too early is only rejected again.
#[component]
pub(crate) fn FailureNote(failure: Failure, on_retry: Option<Callback<Remedy>>) -> impl IntoView {
    let language = language::spoken();
    let remedy = failure.remedy();
    let button = on_retry.zip(button_text(remedy));
    view! {
        <p id="failure" class="failure" data-testid="failure">
            {move || failure.sentence(language.get())}
        </p>
        {button.map(|(on_retry, text)| view! {
            <button type="button" class="retry" on:click=move |_| on_retry.run(remedy)>
                {move || text(language.get())}
            </button>
        })}
    }
}

fn button_text(remedy: Remedy) -> Option<fn(Language) -> &'static str> {
    match remedy {
        Remedy::TryAgain => Some(Language::try_again),
        Remedy::Shrink => Some(Language::shrink_and_retry),
        Remedy::Another | Remedy::AccessToken => None,
    }
}
