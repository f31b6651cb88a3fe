use super::{part::PartName, rows};
use crate::{args::Format, shard::Shard, storage::Folder};

/// What earlier runs have finished of a shard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finished {
    pub(super) parts: u32,
    pub(super) rows: u64,
    /// The image after which the next run begins.
    pub(super) last: Option<String>,
}

impl Finished {
    /// Reads the names of the parts in `folder`, and the last part.
    ///
    /// # Errors
    /// If the folder cannot be read, or has results of a run with other options.
    pub(super) async fn read(
        folder: &Folder,
        shard: Shard,
        format: Format,
    ) -> Result<Self, String> {
        let names = folder.names().await?;
        let parts = names.iter().filter_map(|name| name.parse().ok()).collect();
        let parts =
            of_shard(parts, shard, format).map_err(|why| format!("{}: {why}", folder.name()))?;
        let last = match parts.last() {
            None => None,
            Some(part) => {
                let name = part.to_string();
                let bytes = folder.read(&name).await?;
                let last = rows::last_file(format, bytes);
                Some(last.map_err(|why| {
                    format!("cannot continue after {}{name}: {why}", folder.name())
                })?)
            }
        };
        Ok(Self {
            parts: u32::try_from(parts.len()).expect("numbers of parts are u32"),
            rows: parts.iter().map(|part| u64::from(part.rows)).sum(),
            last,
        })
    }
}

/// The parts of the shard, by number.
fn of_shard(parts: Vec<PartName>, shard: Shard, format: Format) -> Result<Vec<PartName>, String> {
    if let Some(other) = parts.iter().find(|part| !part.shard.has_as_many_as(shard)) {
        return Err(format!(
            "{other} is of a run with another number of shards: give the same number, or another --output"
        ));
    }
    let mut parts = parts;
    parts.retain(|part| part.shard == shard);
    if let Some(other) = parts.iter().find(|part| part.format != format) {
        return Err(format!(
            "{other} is of a run with --format {}: give the same format, or another --output",
            other.format
        ));
    }
    parts.sort_by_key(|part| part.number);
    for (number, part) in (0..).zip(&parts) {
        if part.number != number {
            let what = if part.number < number {
                "there are two parts with its number: two processes have worked on this shard"
            } else {
                "a part before it is missing"
            };
            return Err(format!(
                "cannot continue after {part}: {what}. Delete the parts of this shard from there on, or give another --output"
            ));
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARD: &str = "1/4";

    fn parts(names: &[&str]) -> Result<Vec<u32>, String> {
        let parts = names.iter().map(|name| name.parse().unwrap()).collect();
        let parts = of_shard(parts, SHARD.parse().unwrap(), Format::Jsonl)?;
        Ok(parts.iter().map(|part| part.number).collect())
    }

    #[test]
    fn finds_the_parts_of_the_shard_in_order() {
        assert_eq!(parts(&[]), Ok(vec![]));
        let names = [
            "part-00001-of-00004-000001-00500.jsonl",
            "part-00002-of-00004-000000-10000.jsonl",
            "part-00001-of-00004-000000-10000.jsonl",
        ];
        assert_eq!(parts(&names), Ok(vec![0, 1]));
    }

    #[test]
    fn rejects_results_of_other_runs() {
        for (names, why) in [
            (
                vec!["part-00000-of-00008-000000-10000.jsonl"],
                "another number of shards",
            ),
            (
                vec!["part-00001-of-00004-000000-10000.parquet"],
                "--format parquet",
            ),
            (
                vec!["part-00001-of-00004-000001-10000.jsonl"],
                "a part before it is missing",
            ),
            (
                vec![
                    "part-00001-of-00004-000000-10000.jsonl",
                    "part-00001-of-00004-000000-05000.jsonl",
                ],
                "two processes",
            ),
        ] {
            let error = parts(&names).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
