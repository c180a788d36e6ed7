"""What several parts of a process keep in its database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.app.policy import forgoing
from bridge.errors import SettingsError
from bridge.events.cloudevents import Envelope
from bridge.model import OrganizationId
from bridge.settings import Organization, Settings
from bridge.shipments.label import LabelFormat, LabelKind, LabelWish
from bridge.shipping.labels.following import Following
from bridge.store.connections import SqlConnections, shipx
from bridge.store.database import Database, ManagedDatabase
from bridge.store.facts import Recorder
from bridge.store.inbox import SqlInbox
from bridge.store.sealed import Vault
from bridge.store.shelf import FolderShelf, SealedShelf, Shelf


@dataclass(frozen=True, slots=True)
class Stores:
    """The database, what seals its personal data and what writes its facts; webhooks and connections in it.

    Labels lie on the shelf, wherever that is.
    """

    database: ManagedDatabase
    vault: Vault
    recorder: Recorder
    inbox: SqlInbox
    connections: SqlConnections
    shelf: Shelf


async def prepare_stores(settings: Settings, database: ManagedDatabase) -> Stores:
    """Make them over an open database, a connection for every organization that has a token. Raises SettingsError."""
    vault = Vault.with_keys(settings.personal_data.key_bytes)
    recorder = Recorder(Envelope(settings.environment), Following(label_wishes(settings), vault))
    names = connection_names(settings)
    connections = SqlConnections(database, recorder, names, forgoing=await forgoing(settings))
    await connections.prepare(names)
    shelf = open_shelf(settings, database, vault)
    return Stores(database, vault, recorder, SqlInbox(database, vault), connections, shelf)


def shelf_of(settings: Settings, database: Database, vault: Vault) -> SealedShelf | FolderShelf:
    """Say where labels lie."""
    folder = settings.labels.folder
    return SealedShelf(database, vault) if folder is None else FolderShelf(folder, vault)


def open_shelf(settings: Settings, database: Database, vault: Vault) -> Shelf:
    """Open where labels lie. Raises SettingsError where that is a folder that cannot be written to."""
    shelf = shelf_of(settings, database, vault)
    try:
        if isinstance(shelf, FolderShelf):
            shelf.prepare()
    except OSError as error:
        raise SettingsError([("BRIDGE_LABELS__FOLDER", f"cannot be written to: {error.strerror}")]) from error
    return shelf


def label_wishes(settings: Settings) -> Mapping[OrganizationId, LabelWish]:
    """Say which labels are fetched as soon as there are any: of organizations that have a token to ask with."""
    return {
        OrganizationId(one.id): _wish(one)
        for one in settings.shipx.organizations
        if one.token is not None and one.labels != "off"
    }


def _wish(one: Organization) -> LabelWish:
    kind = None if one.label_type is None else LabelKind(one.label_type)
    return LabelWish.of(LabelFormat(one.labels or "pdf"), kind)


def connection_names(settings: Settings) -> frozenset[str]:
    """Name the connections that are used: of every organization that has a token, and of providers of returns."""
    shipping = {shipx(OrganizationId(one.id)) for one in settings.shipx.organizations if one.token}
    return frozenset(shipping | set(map(return_connection, settings.return_providers)))


def return_connection(provider: str) -> str:
    """Name the connection of a provider of returns; there is one account at each."""
    return f"{provider}/main"
