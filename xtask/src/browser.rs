//! The page and foreign JavaScript in a real browser.

use crate::{
    root,
    tally::Tally,
    tools::{command, debian, run},
};

/// Runs Playwright's tests in `e2e/` on Debian's Chromium.
pub(crate) fn test(tally: &mut Tally) {
    if let Err(error) = set_up() {
        tally.check("browser tests: set-up", Err(error));
        return;
    }
    let mut playwright = command("npx");
    playwright
        .current_dir(root().join("e2e"))
        .args(["playwright", "test"])
        .env(
            "IMAGECLASSIFIER_SERVER_BINARY",
            root().join("target/debug/imageclassifier-server"),
        );
    tally.run("browser tests", &mut playwright);
}

fn set_up() -> anyhow::Result<()> {
    debian("chromium", &["chromium"])?;
    debian("npm", &["nodejs", "npm"])?;
    run(command("npm")
        .current_dir(root().join("e2e"))
        .args(["ci", "--silent", "--no-audit", "--no-fund"])
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))
}
