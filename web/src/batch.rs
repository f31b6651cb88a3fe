//! Hundreds of pictures at once: a list that is worked off a few at a time, looked through, and saved.

mod export;
pub(crate) mod list;
mod order;
mod row;
pub(crate) mod table;
mod thumbnail;
mod tools;
