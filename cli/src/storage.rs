//! Objects in S3, Google Cloud Storage, Azure Blob Storage, on web servers and, for results, in local folders. It knows names and
//! bytes, not images.

mod connect;
mod location;
mod object;

pub(crate) use self::{
    connect::Stores,
    location::Location,
    object::{Folder, Object},
};
