"""Private RabbitMQ and PostgreSQL nodes for the demo, the tests and the benchmarks; nothing else of the bridge is imported here."""
