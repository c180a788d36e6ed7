"""Private RabbitMQ and PostgreSQL nodes for demo, tests and benchmarks. Imports nothing else of the bridge."""
