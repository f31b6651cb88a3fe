use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures_util::{Stream, StreamExt, stream, stream::LocalBoxStream};

use crate::{inputs::Input, shard::Shard};

/// The images of a shard that are not finished, in the order of their names.
pub(super) struct Remaining {
    listing: LocalBoxStream<'static, Result<Input, String>>,
    shard: Shard,
    /// The last image that is finished.
    after: Option<String>,
    previous: Option<String>,
    progress: Rc<Progress>,
}

/// What a stream of [`Remaining`] has met so far.
#[derive(Default)]
pub(super) struct Progress {
    skipped: Cell<u64>,
    /// The first and the last image of those skipped.
    finished: RefCell<Vec<Input>>,
    error: RefCell<Option<String>>,
}

impl Progress {
    /// Images of the shard up to the last one that is finished.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped.get()
    }

    fn skip(&self, image: Input) {
        self.skipped.set(self.skipped.get() + 1);
        let mut finished = self.finished.borrow_mut();
        finished.truncate(1);
        finished.push(image);
    }

    /// Some of the images that earlier runs have finished.
    pub(super) fn take_finished(&self) -> Vec<Input> {
        self.finished.take()
    }

    /// # Errors
    /// If the listing failed: the stream has ended before the last image.
    pub(super) fn error(&self) -> Result<(), String> {
        self.error.borrow().clone().map_or(Ok(()), Err)
    }
}

impl Remaining {
    pub(super) fn new(
        listing: LocalBoxStream<'static, Result<Input, String>>,
        shard: Shard,
        after: Option<String>,
    ) -> Self {
        Self {
            listing,
            shard,
            after,
            previous: None,
            progress: Rc::default(),
        }
    }

    pub(super) fn progress(&self) -> Rc<Progress> {
        Rc::clone(&self.progress)
    }

    /// Ends early if the listing fails.
    pub(super) fn into_stream(self) -> impl Stream<Item = Input> {
        stream::unfold(self, |mut this| async move {
            match this.next().await {
                Ok(image) => Some((image?, this)),
                Err(why) => {
                    *this.progress.error.borrow_mut() = Some(why);
                    None
                }
            }
        })
    }

    async fn next(&mut self) -> Result<Option<Input>, String> {
        while let Some(image) = self.listing.next().await.transpose()? {
            let name = image.name().to_owned();
            if let Some(previous) = self.previous.as_ref().filter(|previous| **previous >= name) {
                return Err(wrong_order(&name, previous));
            }
            let is_finished = self.after.as_ref().is_some_and(|after| name <= *after);
            let is_ours = self.shard.has(&name);
            self.previous = Some(name);
            match (is_ours, is_finished) {
                (false, _) => {}
                (true, true) => self.progress.skip(image),
                (true, false) => return Ok(Some(image)),
            }
        }
        Ok(None)
    }
}

fn wrong_order(name: &str, previous: &str) -> String {
    let (who, hint) = if name.contains("://") {
        (
            "the storage lists",
            "use a general-purpose bucket, or classify folder by folder",
        )
    } else {
        ("the folders have", "classify them one by one")
    };
    format!("{who} {name} after {previous}. Bulk classification needs the order of names: {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn remaining(
        listing: &[Result<&str, &str>],
        shard: Shard,
        after: Option<&str>,
    ) -> (Vec<String>, u64, Result<(), String>) {
        let listing: Vec<_> = listing
            .iter()
            .map(|listed| match listed {
                Ok(name) => Ok(Input::file(name.into())),
                Err(why) => Err((*why).to_owned()),
            })
            .collect();
        let after = after.map(str::to_owned);
        let remaining = Remaining::new(stream::iter(listing).boxed_local(), shard, after);
        let progress = remaining.progress();
        let names = remaining.into_stream().map(|image| image.name().to_owned());
        (names.collect().await, progress.skipped(), progress.error())
    }

    #[tokio::test]
    async fn continues_after_the_last_finished_image() {
        let all = ["a", "b", "c", "d"].map(Ok);
        let from_start = remaining(&all, Shard::ALL, None).await;
        assert_eq!(
            from_start,
            (
                vec!["a".into(), "b".into(), "c".into(), "d".into()],
                0,
                Ok(())
            )
        );
        let after_b = remaining(&all, Shard::ALL, Some("b")).await;
        assert_eq!(after_b, (vec!["c".into(), "d".into()], 2, Ok(())));
        // The last one has been removed, and another added.
        let after_bb = remaining(&all, Shard::ALL, Some("bb")).await;
        assert_eq!(after_bb, (vec!["c".into(), "d".into()], 2, Ok(())));
        let after_all = remaining(&all, Shard::ALL, Some("d")).await;
        assert_eq!(after_all, (vec![], 4, Ok(())));
    }

    #[tokio::test]
    async fn counts_only_images_of_the_shard() {
        let names: Vec<_> = (0..100).map(|number| format!("{number:02}")).collect();
        let listing: Vec<_> = names.iter().map(|name| Ok(&**name)).collect();
        let mut all = Vec::new();
        for index in 0..3 {
            let shard = Shard::new(index, 3).unwrap();
            let (images, _, _) = remaining(&listing, shard, None).await;
            let (rest, skipped, _) = remaining(&listing, shard, Some(&images[4])).await;
            assert_eq!(rest, images[5..]);
            assert_eq!(skipped, 5);
            all.extend(images);
        }
        all.sort();
        assert_eq!(all, names);
    }

    #[tokio::test]
    async fn ends_with_the_error_of_the_listing() {
        let (images, _, error) =
            remaining(&[Ok("a"), Err("denied"), Ok("b")], Shard::ALL, None).await;
        assert_eq!((images, error), (vec!["a".into()], Err("denied".into())));
    }

    #[tokio::test]
    async fn rejects_a_listing_in_another_order() {
        for (listing, hint) in [
            (["b", "a"], "one by one"),
            (["a", "a"], "one by one"),
            (["s3://x/b", "s3://x/a"], "general-purpose bucket"),
        ] {
            let (images, _, error) = remaining(&listing.map(Ok), Shard::ALL, None).await;
            assert_eq!(images.len(), 1);
            let error = error.unwrap_err();
            assert!(
                error.contains("order of names") && error.contains(hint),
                "{error}"
            );
        }
    }
}
