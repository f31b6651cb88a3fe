use leptos::prelude::window;
use web_sys::Storage;

/// Where the browser keeps the access token: in this tab alone, and until it is closed.
const KEY: &str = "imageclassifier.access-token";

/// The token of this tab, from before the page was reloaded.
pub(crate) fn remembered() -> Option<String> {
    storage()?.get_item(KEY).ok()?
}

pub(crate) fn remember(token: &str) {
    if let Some(storage) = storage() {
        // Full or forbidden: then the token lasts until the page is reloaded.
        let _ = storage.set_item(KEY, token);
    }
}

pub(crate) fn forget() {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(KEY);
    }
}

/// None if the visitor has disabled it.
fn storage() -> Option<Storage> {
    window().session_storage().ok()?
}
