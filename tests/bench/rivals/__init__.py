"""What else one would write, as small honest programs: each `python -m tests.bench.rivals.NAME PORT SECRET [URL]`.

    noop                 the bridge's own receiver over a store that does nothing
    starlette_pika       a starlette route that publishes by aio-pika
    fastapi_pika         a FastAPI route with a model of the body, publishing by aio-pika
    fastapi_faststream   a FastAPI route that publishes by FastStream
    fastapi_sqlalchemy   a FastAPI route that stores each webhook by SQLAlchemy

Each answers only after the broker has confirmed, or the database has committed, and uses the usual defaults. Access
logs are off everywhere.
"""
