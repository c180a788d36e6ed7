// Keep the last status of every shipment, from a queue of RabbitMQ: `npm install amqplib`.
import { connect } from "amqplib";
import { State } from "./state.mjs";

const queue = process.env.QUEUE ?? "shop.statuses";
const state = new State(process.env.STATE ?? "consumer.jsonl");
const connection = await connect(process.env.AMQP_URL);
connection.on("close", () => process.exit(1)); // whoever supervises this starts it again
const channel = await connection.createChannel();
await channel.prefetch(100);
await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
await channel.bindQueue(queue, "bridge.events", "shipx.shipment.status_changed.*");
console.log("bound");
await channel.consume(queue, (message) => {
  if (message === null) process.exit(1); // somebody deleted the queue
  const event = JSON.parse(message.content);
  if (state.take(event)) console.log(event.subject, event.data.tracking_status);
  channel.ack(message); // only after it is on disk
});
