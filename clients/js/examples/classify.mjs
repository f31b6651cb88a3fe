// Prints the most probable classes of photo.jpg. Needs the package: npm install CLONE/clients/js/imageclassifier-0.1.0.tgz
import { readFile } from "node:fs/promises";
import { Classifier } from "imageclassifier";

const classifier = new Classifier("http://localhost:50051");
const { predictions } = await classifier.classify(await readFile("photo.jpg"), { topK: 5 });
for (const { label, confidence } of predictions) {
  console.log(`${label} ${(100 * confidence).toFixed(1)} %`);
}
