import { clients } from "../clients.js";

const [server, client, image] = ["server", "client", "image"].map((id) => document.getElementById(id));
const status = document.querySelector("[role=status]");

client.append(...Object.keys(clients).map((name) => new Option(name)));

image.addEventListener("change", async () => {
  status.textContent = "";
  try {
    const imageData = new Uint8Array(await image.files[0].arrayBuffer());
    const { label, confidence } = await clients[client.value](server.value, imageData);
    status.textContent = `${label} ${(100 * confidence).toFixed(1)} %`;
  } catch (error) {
    status.textContent = `Failed: ${error.message}`;
  }
});
