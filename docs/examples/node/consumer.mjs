// Keep the last status of every shipment, from a queue of RabbitMQ: `npm install amqplib`.
import { connect } from "amqplib";
import { State } from "./state.mjs";

const state = new State(process.env.STATE ?? "consumer.jsonl");
const connection = await connect(process.env.AMQP_URL);
connection.on("close", () => process.exit(1)); // whoever supervises this starts it again
const channel = await connection.createChannel();
await channel.prefetch(100);
await channel.assertQueue("shop.statuses", { durable: true, arguments: { "x-queue-type": "quorum" } });
await channel.bindQueue("shop.statuses", "bridge.events", "shipx.shipment.status_changed.*");
console.log("bound");
await channel.consume("shop.statuses", (message) => {
  if (message === null) process.exit(1); // somebody deleted the queue
  const event = JSON.parse(message.content);
  if (state.take(event)) console.log(event.subject, event.data.tracking_status);
  channel.ack(message); // only after it is on disk
});
