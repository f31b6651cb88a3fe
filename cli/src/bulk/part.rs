use std::{fmt, str::FromStr};

use crate::{args::Format, shard::Shard};

/// The name of an object with results: `part-00003-of-00008-000012-10000.jsonl` is the 13th of shard 3 of 8, and has 10,000 rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PartName {
    pub(super) shard: Shard,
    /// From 0. The images of a part come after those of all parts with lower numbers.
    pub(super) number: u32,
    pub(super) rows: u32,
    pub(super) format: Format,
}

const FORMATS: [Format; 2] = [Format::Jsonl, Format::Parquet];

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            shard,
            number,
            rows,
            format,
        } = self;
        write!(f, "part-{shard}-{number:06}-{rows:05}.{format}")
    }
}

/// Not the name of a part.
#[derive(Debug)]
pub(super) struct OtherName;

impl FromStr for PartName {
    type Err = OtherName;

    fn from_str(name: &str) -> Result<Self, OtherName> {
        let part = || {
            let (stem, extension) = name.strip_prefix("part-")?.split_once('.')?;
            let format = FORMATS
                .into_iter()
                .find(|format| format.to_string() == extension)?;
            let mut numbers = stem.split('-');
            let index = numbers.next()?.parse().ok()?;
            let count = numbers.nth(1)?.parse().ok()?;
            Some(Self {
                shard: Shard::new(index, count)?,
                number: numbers.next()?.parse().ok()?,
                rows: numbers.next()?.parse().ok()?,
                format,
            })
        };
        // Only what this program writes.
        part()
            .filter(|part| part.to_string() == name)
            .ok_or(OtherName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_shard_number_and_rows() {
        let part = PartName {
            shard: Shard::new(3, 8).unwrap(),
            number: 12,
            rows: 10_000,
            format: Format::Parquet,
        };
        let name = "part-00003-of-00008-000012-10000.parquet";
        assert_eq!(part.to_string(), name);
        assert_eq!(name.parse::<PartName>().unwrap(), part);
        for other in [
            "part-00003-of-00008-000012-10000.csv",
            "part-00008-of-00008-000012-10000.jsonl",
            "part-3-of-8-12-10000.jsonl",
            "part-00003-of-00008-000012.jsonl",
            "part-00003-of-00008-000012-10000.jsonl.tmp",
            "_SUCCESS",
        ] {
            assert!(other.parse::<PartName>().is_err(), "{other}");
        }
    }
}
