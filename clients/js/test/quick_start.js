// Writes the README's programs into the working directory as 1.mjs, 2.mjs and so on: quick_start.js README SERVER
import { readFileSync, writeFileSync } from "node:fs";

const [readme, server] = process.argv.slice(2);
const programs = readFileSync(readme, "utf8").matchAll(/```js\n(.*?)```/gs);
[...programs].forEach(([, program], i) => writeFileSync(`${i + 1}.mjs`, program.replace("localhost:50051", server)));
