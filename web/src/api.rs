mod snippets;

use leptos::{html, prelude::*, task::spawn_local};

use crate::{
    copy_button::CopyButton,
    fetch,
    session::models::Models,
    settings::{
        access_token,
        language::{self, said},
        view_settings::ViewSettings,
    },
    texts::Language,
};
use snippets::{SNIPPETS, Server};

/// Programs that use the same server: a drawer over the page, with the browser's own dialog behaviour, and a tab for each.
#[component]
pub(crate) fn ApiDrawer(open: RwSignal<bool>, models: Models) -> impl IntoView {
    let language = language::spoken();
    let top = ViewSettings::current().top;
    let drawer = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(drawer) = drawer.get()
            && open.get()
            && !drawer.open()
        {
            // It can fail only for a dialog that is not in the page.
            let _ = drawer.show_modal();
        }
    });
    let close = move |_| {
        if let Some(drawer) = drawer.get_untracked() {
            drawer.close();
        }
    };
    let chosen = RwSignal::new(0);
    // As it is in the repository. The file comes with the page and is fetched when it is wanted.
    let program = RwSignal::new(String::new());
    Effect::new(move || {
        let at = chosen.get();
        if open.get() {
            spawn_local(async move {
                let text = fetch::text(SNIPPETS[at].file).await;
                if chosen.get_untracked() == at {
                    let failed = |_| language.get_untracked().no_answer().to_owned();
                    program.set(text.unwrap_or_else(failed));
                }
            });
        }
    });
    let server = Server::own();
    let address = server.address().to_owned();
    let text = Signal::derive(move || {
        let model = models.name_for_programs();
        SNIPPETS[chosen.get()].filled(&program.get(), &server, top.get(), &model)
    });
    let tabs = SNIPPETS.iter().enumerate().map(|(at, snippet)| {
        view! {
            <label lang="en">
                <input
                    type="radio"
                    name="program"
                    prop:checked=move || chosen.get() == at
                    on:change=move |_| chosen.set(at)
                />
                <span>{snippet.title}</span>
            </label>
        }
    });
    let tabs = tabs.collect_view();
    let title = move || SNIPPETS[chosen.get()].title;
    let wants_token = move || open.get() && access_token::remembered().is_some();
    view! {
        <dialog node_ref=drawer class="drawer" aria-labelledby="api-title" on:close=move |_| open.set(false)>
            <div class="drawer-head">
                <h2 id="api-title">{said(Language::use_via_api)}</h2>
                <button type="button" class="quiet" on:click=close>{said(Language::close)}</button>
            </div>
            <p>{move || language.get().api_lead(&address)}</p>
            <Show when=wants_token>
                <p class="unsure">{said(Language::token_in_api)}</p>
            </Show>
            <fieldset class="tabs">
                <legend class="heard-only">{said(Language::program)}</legend>
                {tabs}
            </fieldset>
            <highlighted-code>
                <pre tabindex="0" lang="en" aria-label=title><code>{text}</code></pre>
            </highlighted-code>
            <CopyButton text label=Language::copy />
            <a class="plain" href="v1/openapi.json">"OpenAPI"</a>
        </dialog>
    }
}
