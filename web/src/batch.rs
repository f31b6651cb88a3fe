//! Several images at once, up to thousands: sent a few at a time, filtered and sorted in a table, and saved as a file.

mod counts;
mod export;
pub(crate) mod list;
mod order;
mod pulse;
mod row;
mod scheduler;
pub(crate) mod table;
mod table_row;
mod thumbnail;
mod tools;
