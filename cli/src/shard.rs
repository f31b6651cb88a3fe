use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256};

/// One of `count` disjoint parts of the images, which together are all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 0.
    index: u32,
    count: u32,
}

impl Shard {
    pub(crate) const ALL: Self = Self { index: 0, count: 1 };

    /// `None` if `index` is not less than `count`.
    pub(crate) fn new(index: u32, count: u32) -> Option<Self> {
        (index < count).then_some(Self { index, count })
    }

    pub(crate) fn has_as_many_as(self, other: Self) -> bool {
        self.count == other.count
    }

    /// Whether the shard has the image called `name`. It depends on the name alone: the first eight bytes of its SHA-256, as a
    /// big-endian number, modulo the number of shards.
    pub(crate) fn has(self, name: &str) -> bool {
        let digest = Sha256::digest(name);
        let (head, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
        u64::from_be_bytes(*head) % u64::from(self.count) == u64::from(self.index)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/');
        let numbers =
            numbers.and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        let shard = numbers.and_then(|(index, count)| Self::new(index, count));
        shard.ok_or_else(|| {
            "give an index from 0 and the number of shards, for example 0/4 to 3/4".to_owned()
        })
    }
}

/// As in the names of results: `00003-of-00008`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05}-of-{:05}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_image_is_in_one_shard() {
        let shards: Vec<_> = (0..4).map(|index| Shard::new(index, 4).unwrap()).collect();
        let mut sizes = [0; 4];
        for number in 0..10_000 {
            let name = format!("s3://album/{number:05}.jpg");
            let having = (0..4).filter(|&index| shards[index].has(&name));
            let [index]: [_; 1] = having.collect::<Vec<_>>().try_into().unwrap();
            sizes[index] += 1;
            assert!(Shard::ALL.has(&name));
        }
        assert!(
            sizes.iter().all(|size| (2300..2700).contains(size)),
            "{sizes:?}"
        );
    }

    /// Another version of the program must continue the shards of this one.
    #[test]
    fn shards_of_names_never_change() {
        // python3: int.from_bytes(hashlib.sha256(name).digest()[:8], "big") % 8
        for (name, index) in [("s3://album/a.jpg", 7), ("photos/ä.png", 7)] {
            assert!(Shard::new(index, 8).unwrap().has(name), "{name}");
        }
    }

    #[test]
    fn parses_an_index_and_the_number_of_shards() {
        assert_eq!("3/8".parse(), Ok(Shard { index: 3, count: 8 }));
        assert_eq!(Shard { index: 3, count: 8 }.to_string(), "00003-of-00008");
        for wrong in ["8/8", "0/0", "1", "1/", "-1/2", "a/b", "1/2/3"] {
            assert!(wrong.parse::<Shard>().unwrap_err().contains("0/4 to 3/4"));
        }
    }
}
