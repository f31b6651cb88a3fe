use imageclassifier_client::Answer;
use tokio::task::{JoinHandle, spawn, spawn_blocking};

use super::{part::PartName, rows::Rows};
use crate::{args::Format, file_error::FileError, shard::Shard, storage::Folder};

/// A part with this many bytes is written, however few rows it has: it is held in memory, and sent in one request.
const PART_BYTES_MAX: usize = 16 << 20;

/// Writes rows into parts, one after the other. While a part is written, the next one is filled.
pub(super) struct Writer {
    folder: Folder,
    shard: Shard,
    format: Format,
    rows_max: u32,
    /// Of the part that is being filled.
    number: u32,
    rows: Rows,
    writing: Option<JoinHandle<Result<u32, String>>>,
    /// A part could not be written. Those after it would leave a hole.
    has_failed: bool,
    /// Rows in parts that are written.
    written: u64,
}

impl Writer {
    /// `number` is that of the first part to write.
    pub(super) fn new(
        folder: Folder,
        shard: Shard,
        format: Format,
        rows_max: u32,
        number: u32,
    ) -> Self {
        Self {
            folder,
            shard,
            format,
            rows_max,
            number,
            rows: Rows::new(format),
            writing: None,
            has_failed: false,
            written: 0,
        }
    }

    /// # Errors
    /// If an earlier part could not be written.
    pub(super) async fn write(
        &mut self,
        name: &str,
        outcome: &Result<Answer, FileError>,
    ) -> Result<(), String> {
        self.rows.push(name, outcome);
        if self.rows.len() >= self.rows_max || self.rows.bytes() >= PART_BYTES_MAX {
            self.start_part().await?;
        }
        Ok(())
    }

    /// Writes the last part. The number of rows that are written, and the error if some are not.
    pub(super) async fn finish(mut self) -> (u64, Result<(), String>) {
        let started = self.start_part().await;
        let written = self.wait().await;
        (self.written, started.and(written))
    }

    /// Starts to write the rows, once the part before is written.
    ///
    /// # Errors
    /// If that could not be written; says so once.
    async fn start_part(&mut self) -> Result<(), String> {
        self.wait().await?;
        if self.rows.len() == 0 || self.has_failed {
            return Ok(());
        }
        let rows = std::mem::replace(&mut self.rows, Rows::new(self.format));
        let part = PartName {
            shard: self.shard,
            number: self.number,
            rows: rows.len(),
            format: self.format,
        };
        self.number += 1;
        let folder = self.folder.clone();
        self.writing = Some(spawn(async move {
            let encoded = spawn_blocking(move || rows.encode()).await;
            let encoded = encoded.expect("encoding does not panic");
            folder.create(&part.to_string(), encoded).await?;
            eprintln!("imageclassifier: wrote {}{part}", folder.name());
            Ok(part.rows)
        }));
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), String> {
        if let Some(writing) = self.writing.take() {
            let written = writing.await.expect("writing does not panic");
            self.has_failed = written.is_err();
            self.written += u64::from(written?);
        }
        Ok(())
    }
}
