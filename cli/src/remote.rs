//! Images in object storage.

use futures_util::{Stream, StreamExt, future};

use crate::{
    inputs::{Input, is_image},
    storage::Folder,
};

/// The images in and below `folder`, in the order of the storage, without hidden ones: as in local folders.
pub(crate) fn images_below(folder: &Folder) -> impl Stream<Item = Result<Input, String>> + use<> {
    let root = folder.name().to_owned();
    folder.objects().filter_map(move |object| {
        let image = match object {
            Ok(object) => {
                let below = object.name().strip_prefix(&root).unwrap_or(object.name());
                let is_hidden = below.split('/').any(|part| part.starts_with('.'));
                let image = !is_hidden && is_image(below.as_ref());
                image.then(|| Ok(Input::object(object)))
            }
            Err(why) => Some(Err(why)),
        };
        future::ready(image)
    })
}
