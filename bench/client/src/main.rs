//! usage: bench-client SERVER_URL IMAGE REQUESTS
//!
//! Sends requests one after the other on one connection. Prints a JSON array for each request, in milliseconds: `[total time
//! in this client, decode, queue, inference]`.

use std::{env, fs, time::Instant};

use imageclassifier_client::{Classifier, ClassifyOptions};

/// The first requests, which are not printed.
const WARM_UP: usize = 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, image, requests] = arguments.as_slice() else {
        anyhow::bail!("usage: bench-client SERVER_URL IMAGE REQUESTS");
    };
    let requests: usize = requests.parse()?;
    let image = fs::read(image)?;
    let classifier = Classifier::new(url)?;
    for request in 0..WARM_UP + requests {
        let image = image.clone().into();
        let started_at = Instant::now();
        let response = classifier
            .classify(image, ClassifyOptions::default())
            .await?;
        let total_ms = started_at.elapsed().as_secs_f64() * 1000.0;
        let timings = response.timings.unwrap_or_default();
        if request >= WARM_UP {
            let server = [timings.decode_ms, timings.queue_ms, timings.inference_ms];
            let server = server.map(f64::from);
            println!(
                "{}",
                serde_json::json!([total_ms, server[0], server[1], server[2]])
            );
        }
    }
    Ok(())
}
