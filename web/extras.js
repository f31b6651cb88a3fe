// What needs only the browser, and nothing of the program: further ways in, which end as a paste or in the file input, the arrow
// keys of the table, and the colours of programs. Here it costs a tenth of what it would in WebAssembly.

/** Hands images over as if they were picked. */
function pick(files) {
  const input = document.querySelector("[data-testid=file]");
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Hands a text over as if it was pasted. */
function pasteText(text) {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}

// The button "Paste".
async function paste() {
  const files = [];
  let text = "";
  for (const item of await navigator.clipboard.read()) {
    const type = item.types.find((type) => type.startsWith("image/"));
    if (type) {
      files.push(new File([await item.getType(type)], `image.${type.slice(6).replace(/\+.*/, "")}`, { type }));
    } else if (item.types.includes("text/plain")) {
      text += await (await item.getType("text/plain")).text();
    }
  }
  if (files.length) pick(files);
  else pasteText(text);
}

document.addEventListener("click", ({ target }) => {
  if (!target.closest("button.paste")) return;
  paste().catch((error) => {
    if (error.name !== "NotAllowedError") throw error; // the visitor may decline
  });
});

// The field for an address.
document.addEventListener("submit", (event) => {
  const field = event.target.querySelector("input[type=url]");
  if (!field) return;
  event.preventDefault();
  field.closest("details").open = false;
  pasteText(field.value);
  field.value = "";
});

// Files opened with the installed page.
globalThis.launchQueue?.setConsumer(async ({ files }) => {
  if (files.length) pick(await Promise.all(files.map((file) => file.getFile())));
});

// The table's rows by arrow keys, Home and End. Those out of view are not there: a few above and below it are.
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -Infinity, End: Infinity };

document.addEventListener("keydown", async (event) => {
  const scroller = event.target.closest(".scroller");
  const step = STEPS[event.key];
  if (!scroller || !step || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (!Number.isFinite(step)) {
    scroller.scrollTop = step > 0 ? scroller.scrollHeight : 0;
    await new Promise((done) => setTimeout(done, 50)); // the rows there are drawn
  }
  const names = [...scroller.querySelectorAll(".name button")];
  const row = document.activeElement.closest("[role=row]");
  const at = Number.isFinite(step) ? names.findIndex((name) => row?.contains(name)) : 0;
  names.at(Math.min(Math.max(at + step, 0), names.length - 1))?.focus();
});

// Programs in colours: ranges over their text, which stays as it is. Of shell, Python, JavaScript, Go and Rust.
const KEYWORDS =
  "as async await case const def defer do done else esac fi fn for from func if import in let local of package return set then " +
  "trap try use var while with";
const TOKENS = new RegExp(
  [
    String.raw`(?<comment>(?<=^|\s)(?:#(?![[])|//).*|"""[^]*?""")`,
    String.raw`(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|${"`"}(?:[^${"`"}\\]|\\.)*${"`"})`,
    String.raw`\b(?<keyword>${KEYWORDS.replaceAll(" ", "|")})\b`,
  ].join("|"),
  "gm",
);

customElements.define(
  "highlighted-code",
  class extends HTMLElement {
    connectedCallback() {
      if (!globalThis.CSS?.highlights) return;
      new MutationObserver(() => this.colour()).observe(this, { childList: true, characterData: true, subtree: true });
      this.colour();
    }

    colour() {
      const node = document.createTreeWalker(this.querySelector("code"), NodeFilter.SHOW_TEXT).nextNode();
      const found = { comment: [], string: [], keyword: [] };
      for (const { 0: token, index, groups } of node?.data.matchAll(TOKENS) ?? []) {
        const kind = Object.keys(found).find((kind) => groups[kind]);
        const [startOffset, endOffset] = [index, index + token.length];
        found[kind].push(new StaticRange({ startContainer: node, startOffset, endContainer: node, endOffset }));
      }
      for (const [kind, ranges] of Object.entries(found)) CSS.highlights.set(kind, new Highlight(...ranges));
    }
  },
);

// Last, since it waits: images shared with the installed page, which worker.js has put aside.
if (new URLSearchParams(location.search).has("shared")) {
  history.replaceState(null, "", location.pathname);
  const cache = await caches.open("shared");
  const files = [];
  let text = "";
  for (const request of await cache.keys()) {
    const response = await cache.match(request);
    const name = response.headers.get("x-file-name");
    if (name === null) {
      text = await response.text();
    } else {
      const blob = await response.blob();
      files.push(new File([blob], decodeURIComponent(name), { type: blob.type }));
    }
  }
  await caches.delete("shared");
  if (files.length) pick(files);
  else pasteText(text);
}
