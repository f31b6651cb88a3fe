use leptos::prelude::*;

use crate::{
    settings::{language::said, storage},
    texts::{Language, Text},
};

/// Where the browser keeps the theme, and the attribute of `<html>` that the style sheet reads. `start.js` sets the attribute
/// before the program has loaded.
const KEY: &str = "imageclassifier.theme";
const ATTRIBUTE: &str = "data-theme";

/// Values of the attribute; empty means the browser's own setting.
const THEMES: [(&str, Text); 3] = [
    ("", Language::theme_system),
    ("light", Language::theme_light),
    ("dark", Language::theme_dark),
];

/// The menu of themes.
#[component]
pub(crate) fn ThemeMenu() -> impl IntoView {
    let kept = storage::local().and_then(|storage| storage.get_item(KEY).ok().flatten());
    let kept = kept.unwrap_or_default();
    let options = THEMES.map(|(theme, text)| {
        view! {
            <option value=theme selected=theme == kept>{said(text)}</option>
        }
    });
    let change = move |event| {
        let theme = event_target_value(&event);
        if let Some(html) = document().document_element() {
            // It fails only for an invalid name.
            let _ = html.set_attribute(ATTRIBUTE, &theme);
        }
        if let Some(storage) = storage::local() {
            let _ = storage.set_item(KEY, &theme);
        }
    };
    view! {
        <label>
            {said(Language::theme)}
            <select on:change=change>{options}</select>
        </label>
    }
}
