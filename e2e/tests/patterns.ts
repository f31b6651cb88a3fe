import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { png } from "./images";

export const CLI = process.env.IMAGECLASSIFIER_CLI_BINARY ?? "../target/debug/imageclassifier";
/** The colours of the images that are trained on, and of one that is not. */
const [UNSEEN, ...SEEN] = [110, 90, 130, 170];

type Name = "squares" | "stripes";

/** A folder of models for a server: "patterns", trained here on generated images of two classes, and a broken one. */
export class Models {
  private readonly folder = mkdtempSync(join(tmpdir(), "models-"));
  readonly path = join(this.folder, "models");

  constructor() {
    const images = join(this.folder, "images");
    for (const name of ["squares", "stripes"] as const) {
      mkdirSync(join(images, name), { recursive: true });
      for (const blue of SEEN) writeFileSync(join(images, name, `${blue}.png`), pattern(name, blue));
    }
    const options = ["--output", join(this.path, "patterns"), "--cache", join(this.folder, "cache")];
    execFileSync(CLI, ["train", images, ...options], { stdio: "pipe" });
    mkdirSync(join(this.path, "torn"));
    writeFileSync(join(this.path, "torn", "config.json"), "{");
  }

  remove() {
    rmSync(this.folder, { recursive: true });
  }
}

/** An image of a class of "patterns" that was not trained on. */
export function unseen(name: Name) {
  return { name: `${name}.png`, mimeType: "image/png", buffer: pattern(name, UNSEEN) };
}

function pattern(name: Name, blue: number): Buffer {
  const isDark = (x: number, y: number) => (name === "stripes" ? x >> 4 : (x >> 5) + (y >> 5)) % 2 === 0;
  return png(256, 256, (x, y) => (isDark(x, y) ? [20, 30, blue] : [240, 240, 230]));
}
