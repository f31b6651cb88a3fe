use leptos::prelude::*;

use crate::settings::language::{self, LanguageSwitch};

/// What the page is, and in which language it speaks.
#[component]
pub(crate) fn Header(drawer: RwSignal<bool>) -> impl IntoView {
    let language = language::spoken();
    view! {
        <header>
            <div class="title">
                <h1>{move || language.get().title()}</h1>
                <div class="side">
                    <button
                        type="button"
                        class="quiet api"
                        aria-haspopup="dialog"
                        on:click=move |_| drawer.set(true)
                    >
                        {move || language.get().use_via_api()}
                    </button>
                    <LanguageSwitch />
                </div>
            </div>
            <p>{move || language.get().lead()}</p>
        </header>
    }
}
