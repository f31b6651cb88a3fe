use leptos::{ev::SubmitEvent, html, prelude::*};

use crate::{settings::language::said, texts::Language};

/// The field for the access token, below the error that the server requires one.
#[component]
pub(crate) fn TokenForm(on_token: Callback<String>) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    field.on_load(|field| {
        let _ = field.focus();
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked() {
            on_token.run(field.value().trim().to_owned());
        }
    };
    // The field has no name: whatever happens to the form, no address can hold the token.
    view! {
        <form class="token" on:submit=submit>
            <label for="token">{said(Language::access_token)}</label>
            <input
                node_ref=field
                id="token"
                type="password"
                required
                autocomplete="off"
                aria-describedby="failure token-hint"
            />
            <p id="token-hint" class="hint">{said(Language::token_kept)}</p>
            <button type="submit" class="retry">{said(Language::use_token)}</button>
        </form>
    }
}
