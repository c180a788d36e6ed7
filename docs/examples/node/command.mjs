// Give a command over RabbitMQ and print the answer: `node command.mjs shipment.hold '{"command_id": "…", …}'`.
import { randomUUID } from "node:crypto";
import { connect } from "amqplib";

const [name, body] = process.argv.slice(2);
const patience = setTimeout(() => process.exit(1), 15_000); // no answer: send the same `command_id` again
const connection = await connect(process.env.AMQP_URL);
const channel = await connection.createConfirmChannel();
channel.on("return", () => process.exit(1)); // nobody takes commands there
const answer = new Promise((resolve) => channel.consume("amq.rabbitmq.reply-to", resolve, { noAck: true }));
channel.publish("bridge.commands", name, Buffer.from(body), {
  contentType: "application/json",
  persistent: true,
  mandatory: true,
  correlationId: randomUUID(),
  replyTo: "amq.rabbitmq.reply-to",
});
await channel.waitForConfirms(); // confirmed: it is kept
console.log((await answer).content.toString());
clearTimeout(patience);
await connection.close();
