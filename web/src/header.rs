use leptos::prelude::*;

use crate::language::{self, LanguageSwitch};

/// What the page is, and in which language it speaks.
#[component]
pub(crate) fn Header() -> impl IntoView {
    let language = language::spoken();
    view! {
        <header>
            <div class="title">
                <h1>{move || language.get().title()}</h1>
                <LanguageSwitch />
            </div>
            <p>{move || language.get().lead()}</p>
        </header>
    }
}
