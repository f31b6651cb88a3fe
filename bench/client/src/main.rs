//! usage: bench-client SERVER_URL PICTURE CALLS
//!
//! Calls one after the other on one connection; prints a JSON array for each call, in milliseconds:
//! `[seen by this client, decode, queue, inference]`.

use std::{env, fs, time::Instant};

use imageclassifier_client::{Classifier, ClassifyOptions};

/// Calls before those that are printed.
const WARM_UP: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, picture, calls] = arguments.as_slice() else {
        anyhow::bail!("usage: bench-client SERVER_URL PICTURE CALLS");
    };
    let calls: usize = calls.parse()?;
    let picture = fs::read(picture)?;
    let classifier = Classifier::new(url)?;
    for call in 0..WARM_UP + calls {
        let image = picture.clone().into();
        let begun_at = Instant::now();
        let answer = classifier
            .classify(image, ClassifyOptions::default())
            .await?;
        let seen_ms = begun_at.elapsed().as_secs_f64() * 1000.0;
        let timings = answer.timings.unwrap_or_default();
        if call >= WARM_UP {
            let server = [timings.decode_ms, timings.queue_ms, timings.inference_ms];
            let server = server.map(f64::from);
            println!(
                "{}",
                serde_json::json!([seen_ms, server[0], server[1], server[2]])
            );
        }
    }
    Ok(())
}
