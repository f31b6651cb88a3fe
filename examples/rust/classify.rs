//! The best guesses about photo.jpg. Needs the crates `imageclassifier-client` (the folder client/ of the server's source)
//! and `tokio` with its features `macros` and `rt-multi-thread`.

use imageclassifier_client::{Classifier, ClassifyOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let classifier = Classifier::new("http://localhost:50051")?;
    let options = ClassifyOptions {
        top_k: 5,
        ..ClassifyOptions::default()
    };
    let picture = std::fs::read("photo.jpg")?;
    let answer = classifier.classify(picture.into(), options).await?;
    for prediction in answer.predictions {
        let percent = 100.0 * prediction.confidence;
        println!("{} {percent:.1} %", prediction.label);
    }
    Ok(())
}
