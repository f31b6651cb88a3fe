//! What the visitor chooses, and what of it the browser keeps.

pub(crate) mod access_token;
pub(crate) mod language;
pub(crate) mod model_choice;
pub(crate) mod shrink_switch;
mod storage;
pub(crate) mod theme;
pub(crate) mod view_settings;
