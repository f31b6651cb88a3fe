//! Prints the most probable classes of photo.jpg. Needs the crates `imageclassifier-client` (the folder client/ of the
//! server's repository) and `tokio` with the features `macros` and `rt-multi-thread`.

use imageclassifier_client::{Classifier, ClassifyOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let classifier = Classifier::new("http://localhost:50051")?;
    let options = ClassifyOptions {
        top_k: 5,
        ..ClassifyOptions::default()
    };
    let image = std::fs::read("photo.jpg")?;
    let response = classifier.classify(image.into(), options).await?;
    for prediction in response.predictions {
        let percent = 100.0 * prediction.confidence;
        println!("{} {percent:.1} %", prediction.label);
    }
    Ok(())
}
