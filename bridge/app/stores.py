"""What several parts of a process keep in its database."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.app.policy import regenerates
from bridge.events.cloudevents import Envelope
from bridge.model import OrganizationId
from bridge.settings import Settings
from bridge.store.connections import SqlConnections, shipx
from bridge.store.database import ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.inbox import SqlInbox
from bridge.store.sealed import Vault


@dataclass(frozen=True, slots=True)
class Stores:
    """The database, what seals its personal data and what writes its facts; webhooks and connections in it."""

    database: ManagedDatabase
    vault: Vault
    recorder: Recorder
    inbox: SqlInbox
    connections: SqlConnections


async def prepare_stores(settings: Settings, database: ManagedDatabase) -> Stores:
    """Make them over an open database, a connection for every organization that has a token. Raises SettingsError."""
    vault = Vault.with_keys(settings.personal_data.key_bytes)
    recorder = Recorder(Envelope(settings.environment))
    names = connection_names(settings)
    connections = SqlConnections(database, recorder, names, regenerate=await regenerates(settings))
    await connections.prepare(names)
    return Stores(database, vault, recorder, SqlInbox(database, vault), connections)


def connection_names(settings: Settings) -> frozenset[str]:
    """Name the connections that are used: one for every organization that has a token."""
    return frozenset(shipx(OrganizationId(one.id)) for one in settings.shipx.organizations if one.token)
