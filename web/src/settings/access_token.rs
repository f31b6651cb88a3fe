use crate::settings::storage;

/// Where the browser keeps the access token: in this tab alone, and until it is closed.
const KEY: &str = "imageclassifier.access-token";

/// The token of this tab, from before the page was reloaded.
pub(crate) fn remembered() -> Option<String> {
    storage::of_tab()?.get_item(KEY).ok()?
}

pub(crate) fn remember(token: &str) {
    if let Some(storage) = storage::of_tab() {
        let _ = storage.set_item(KEY, token);
    }
}

pub(crate) fn forget() {
    if let Some(storage) = storage::of_tab() {
        let _ = storage.remove_item(KEY);
    }
}
