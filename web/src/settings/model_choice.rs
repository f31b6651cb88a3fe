use crate::settings::storage;

/// Where the browser keeps the name of the chosen model: in this tab alone, so that two tabs can compare models.
const KEY: &str = "imageclassifier.model";

/// The name that was chosen in this tab. Empty means the server's default model.
pub(crate) fn remembered() -> String {
    let kept = storage::of_tab().and_then(|storage| storage.get_item(KEY).ok().flatten());
    kept.unwrap_or_default()
}

pub(crate) fn remember(name: &str) {
    if let Some(storage) = storage::of_tab() {
        let _ = if name.is_empty() {
            storage.remove_item(KEY)
        } else {
            storage.set_item(KEY, name)
        };
    }
}
