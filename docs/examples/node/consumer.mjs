// Keep the last status of every shipment, from a queue of RabbitMQ: `npm install amqplib`.
import { connect } from "amqplib";
import { State } from "./state.mjs";

const queue = process.env.QUEUE ?? "warehouse.statuses";
const dead = `${queue}.dead`; // messages that nobody can read, or that were given back ten times: look there
const quorum = { "x-queue-type": "quorum" };
const state = new State(process.env.STATE ?? "consumer.jsonl");
const connection = await connect(process.env.AMQP_URL);
connection.on("close", () => process.exit(1)); // whoever supervises this starts it again
const channel = await connection.createChannel();
await channel.prefetch(100);
await channel.assertQueue(dead, { durable: true, arguments: quorum });
await channel.assertExchange(dead, "fanout", { durable: true });
await channel.bindQueue(dead, dead, "");
await channel.assertQueue(queue, {
  durable: true,
  arguments: { ...quorum, "x-dead-letter-exchange": dead, "x-delivery-limit": 10 },
});
await channel.bindQueue(queue, "bridge.events", "shipx.shipment.status_changed.*");
console.log("bound");
await channel.consume(queue, (message) => {
  if (message === null) process.exit(1); // somebody deleted the queue
  const event = read(message);
  if (event === undefined) return channel.reject(message, false);
  if (state.take(event)) console.log(event.subject, event.data.tracking_status);
  channel.ack(message); // only after it is on disk
});

function read(message) {
  try {
    return JSON.parse(message.content);
  } catch {
    return undefined;
  }
}
