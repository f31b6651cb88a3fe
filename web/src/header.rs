use leptos::prelude::*;

use crate::{settings::language::said, texts::Language};

/// What the page is. The style sheet makes it small once there is something to see.
#[component]
pub(crate) fn Header(drawer: RwSignal<bool>) -> impl IntoView {
    view! {
        <header>
            <h1>{said(Language::title)}</h1>
            <button type="button" class="quiet api" aria-haspopup="dialog" on:click=move |_| drawer.set(true)>
                {said(Language::use_via_api)}
            </button>
            <p>{said(Language::lead)}</p>
        </header>
    }
}
