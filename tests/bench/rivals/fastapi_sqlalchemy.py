"""A FastAPI route that stores each webhook by SQLAlchemy's asyncio, one commit per request. It publishes nothing."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import JSON, func
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.bench.rivals.serving import serve, told
from tests.bench.rivals.webhook import Webhook


class Base(DeclarativeBase):
    """The tables."""


class Received(Base):
    """A webhook as it came."""

    __tablename__ = "received"

    id: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[str]
    organization_id: Mapped[int]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


def application(secret: str, database_url: str) -> FastAPI:
    """Make the server; the tables are made when it starts."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await engine.dispose()

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    app = FastAPI(lifespan=lifespan)

    @app.post("/webhooks/shipx/{given}")
    async def receive(
        given: str, webhook: Webhook, session: Annotated[AsyncSession, Depends(session)]
    ) -> dict[str, str]:
        if given != secret:
            raise HTTPException(404)
        session.add(Received(event=webhook.event, organization_id=webhook.organization_id, payload=webhook.payload))
        with told(webhook.event):
            await session.commit()
        return {"outcome": "accepted"}

    return app


if __name__ == "__main__":
    serve(application(sys.argv[2], sys.argv[3]), int(sys.argv[1]))
