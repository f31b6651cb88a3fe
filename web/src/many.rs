//! Hundreds of pictures at once: a list that is worked off a few at a time, looked through, and saved.

mod export;
mod list;
mod order;
mod row;
mod table;
mod thumbnail;
mod tools;

pub(crate) use list::Many;
pub(crate) use table::ManyPictures;
