// Reads texts, a JSON string a line, and says for each why Mermaid's parser refuses it; null if it accepts it.
import { JSDOM } from "jsdom";
import { createInterface } from "node:readline";

const window = new JSDOM("").window;
Object.assign(globalThis, { window, document: window.document });
const mermaid = (await import("mermaid")).default;
for await (const line of createInterface({ input: process.stdin })) {
  const reason = await mermaid.parse(JSON.parse(line)).then(() => null, (error) => String(error.message ?? error));
  console.log(JSON.stringify(reason));
}
