// Keep the last status of every shipment, from the bridge's feed: no broker, no packages, Node.js 18 or newer.
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { State } from "./state.mjs";

const state = new State(process.env.STATE ?? "feed.jsonl");

async function ask(path, headers = {}) {
  const authorization = `Bearer ${process.env.FEED_TOKEN}`;
  const answer = await fetch(process.env.FEED_URL + path, { headers: { authorization, ...headers } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

function take(event, cursor) {
  if (state.take(event, cursor)) console.log(event.subject, event.data.tracking_status);
}

/** Read the pages that are missing, then the stream; returns or throws where the stream ends. */
async function follow() {
  let page = { next: state.cursor ?? "" };
  while (page.next !== null) {
    page = await (await ask(`/v1/events?limit=1000&after=${page.next}`)).json();
    page.items.forEach((event) => take(event));
    if (page.items.length) take(page.items.at(-1), page.cursor); // a repeat by now: only the cursor is new
  }
  const stream = await ask("/v1/events/stream", { "last-event-id": page.cursor });
  console.log("following");
  let cursor = null;
  for await (const line of createInterface({ input: Readable.fromWeb(stream.body) })) {
    if (line.startsWith("id: ")) cursor = line.slice(4); // then `event: …`, `data: …`, and a comment now and then
    else if (line.startsWith("data: ")) take(JSON.parse(line.slice(6)), cursor);
  }
}

for (;;) {
  await follow().catch((error) => console.log(`again in a second: ${error.message}`));
  await pause(1000);
}
