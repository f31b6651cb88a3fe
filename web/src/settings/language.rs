use leptos::prelude::*;

use crate::{
    settings::storage,
    texts::{Language, Text},
};

/// Where the browser keeps the language that was chosen in the menu.
const KEY: &str = "imageclassifier.language";

/// Provides the visitor's language to all components, and keeps `<html lang>` and the title in step with it.
pub(crate) fn provide() {
    let language = RwSignal::new(remembered().unwrap_or_else(preferred));
    provide_context(language);
    Effect::new(move || {
        let language = language.get();
        if let Some(html) = document().document_element() {
            // It fails only for an invalid name.
            let _ = html.set_attribute("lang", language.tag());
        }
        document().set_title(language.title());
    });
}

/// The page's language. Only for components: event handlers have no context.
pub(crate) fn spoken() -> ReadSignal<Language> {
    expect_context::<RwSignal<Language>>().read_only()
}

/// A text in the page's language, for a view. One type for all texts: a closure for each would be code for each.
pub(crate) fn said(text: Text) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
    let language = spoken();
    move || text(language.get())
}

/// The menu of languages, each by its own name.
#[component]
pub(crate) fn LanguageMenu() -> impl IntoView {
    let language = expect_context::<RwSignal<Language>>();
    let options = Language::ALL.map(|offered| {
        view! {
            <option value=offered.tag() lang=offered.tag() selected=move || language.get() == offered>
                {offered.own_name()}
            </option>
        }
    });
    let change = move |event| {
        if let Some(chosen) = Language::of_tag(&event_target_value(&event)) {
            remember(chosen);
            language.set(chosen);
        }
    };
    view! {
        <label>
            {said(Language::language)}
            <select on:change=change>{options}</select>
        </label>
    }
}

/// The first of the browser's languages that the page speaks.
fn preferred() -> Language {
    let tags = window().navigator().languages();
    tags.iter()
        .filter_map(|tag| tag.as_string())
        .find_map(|tag| Language::of_tag(&tag))
        .unwrap_or(Language::English)
}

fn remembered() -> Option<Language> {
    Language::of_tag(&storage::local()?.get_item(KEY).ok()??)
}

fn remember(language: Language) {
    if let Some(storage) = storage::local() {
        let _ = storage.set_item(KEY, language.tag());
    }
}
