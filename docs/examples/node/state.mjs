// What is known of each shipment: every event counts once, and nothing goes back.
//
// In place of a database a journal will do here: a line for each event, on disk before the event counts. It grows with
// every event, and so does what is in memory: for more than some hundred thousand of them take your database.
import { appendFileSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync } from "node:fs";

export class State {
  cursor = null; // how far a feed was read
  #statuses = new Map(); // by subject: { sequence, status }
  #seen = new Set();
  #journal;

  constructor(path) {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const whole = text.slice(0, text.lastIndexOf("\n") + 1); // a crash may have left half a line
    if (whole !== text) truncateSync(path, Buffer.byteLength(whole));
    for (const line of whole.split("\n").filter(Boolean)) this.#apply(JSON.parse(line));
    this.#journal = openSync(path, "a");
  }

  /** Say whether an event changed a status; it is on disk by then, with the cursor after it. */
  take(event, cursor = null) {
    if (this.#seen.has(event.id) && cursor === null) return false;
    const { id, type, subject, sequence } = event;
    const { current, tracking_status: status } = event.data;
    const entry = { id, type, subject, sequence, current, status, cursor };
    appendFileSync(this.#journal, JSON.stringify(entry) + "\n");
    fsyncSync(this.#journal);
    return this.#apply(entry);
  }

  #apply({ id, type, subject, sequence, current, status, cursor }) {
    this.cursor = cursor ?? this.cursor;
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    if (type !== "bridge.shipment.status_changed.v1" || !current) return false;
    const kept = this.#statuses.get(subject);
    if (kept && kept.sequence >= sequence) return false;
    this.#statuses.set(subject, { sequence, status });
    return true;
  }
}
