use crate::shard::Shard;

/// The shard selected by the options or JOB_COMPLETION_INDEX; all images if neither is set.
///
/// # Errors
/// If one of index and number is missing, or they contradict each other.
pub(super) fn shard(
    shard: Option<Shard>,
    count: Option<u32>,
    index: Option<&str>,
) -> Result<Shard, String> {
    match (shard, count, index) {
        (Some(shard), ..) => Ok(shard),
        (None, None, None) => Ok(Shard::ALL),
        (None, None, Some(index)) => Err(format!(
            "JOB_COMPLETION_INDEX is {index}, but the number of shards is unknown: give --shards N, or --shard I/N"
        )),
        (None, Some(_), None) => Err(
            "--shards needs the environment variable JOB_COMPLETION_INDEX: set it, or give --shard I/N"
                .to_owned(),
        ),
        (None, Some(count), Some(index)) => {
            let index = index.parse().ok();
            let shard = index.and_then(|index| Shard::new(index, count));
            shard.ok_or_else(|| {
                format!(
                    "JOB_COMPLETION_INDEX must be from 0 to {}: give the Job's number of completions as --shards",
                    count - 1
                )
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_override_the_index_of_the_pod() {
        let two_of_four = Shard::new(2, 4);
        assert_eq!(shard(None, None, None), Ok(Shard::ALL));
        assert_eq!(shard(two_of_four, None, None).ok(), two_of_four);
        assert_eq!(shard(two_of_four, None, Some("1")).ok(), two_of_four);
        assert_eq!(shard(None, Some(4), Some("2")).ok(), two_of_four);
    }

    #[test]
    fn half_a_shard_is_an_error() {
        for (count, index, hint) in [
            (None, Some("2"), "give --shards N"),
            (Some(4), None, "set it"),
            (Some(4), Some("4"), "from 0 to 3"),
            (Some(4), Some(""), "from 0 to 3"),
        ] {
            let error = shard(None, count, index).unwrap_err();
            assert!(error.contains(hint), "{error}");
        }
    }
}
