//! The page and foreign JavaScript in a real browser.

use crate::{
    process::command,
    root,
    steps::Step,
    tally::Tally,
    tools::packages::{debian, npm},
};

/// Runs Playwright's tests in `e2e/` on Debian's Chromium and Firefox.
pub(crate) fn test(tally: &Tally, step: Step<'_>) -> anyhow::Result<()> {
    let mut playwright = command("npx");
    playwright
        .current_dir(root().join("e2e"))
        .args(["playwright", "test"])
        .env(
            "IMAGECLASSIFIER_SERVER_BINARY",
            root().join("target/debug/imageclassifier-server"),
        );
    tally.count_run(step, &mut playwright)
}

/// Installs the browsers and what the tests import.
pub(crate) fn set_up(step: Step<'_>) -> anyhow::Result<()> {
    // Chromium without a window takes half as long.
    debian(
        "chromium-headless-shell",
        &["chromium-headless-shell"],
        step,
    )?;
    debian("firefox-esr", &["firefox-esr"], step)?;
    // The page of the examples is one of those that the tests open.
    for folder in ["e2e", "examples/javascript"] {
        npm(&root().join(folder), step)?;
    }
    Ok(())
}
