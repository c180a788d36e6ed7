"""The desk where labels are looked for, fetched and kept, whoever wants them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from bridge.lifecycle import Clock
from bridge.model import OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.ports.shipping import Labels
from bridge.shipments.label import Label, LabelWish
from bridge.shipping.labels.document import ready
from bridge.shipping.owner import owner_of
from bridge.store import labels
from bridge.store.bought import Known, known
from bridge.store.database import Database, Transaction, Unit
from bridge.store.facts import Recorder
from bridge.store.labels import Kept, Place, content_of
from bridge.store.shelf import Shelf
from bridge.web.problems import FieldError


class Desk:
    """Knows where labels of which organization come from. `on_told` wakes who waits for events."""

    def __init__(
        self,
        carriers: Mapping[OrganizationId, Labels],
        *,
        database: Database,
        recorder: Recorder,
        shelf: Shelf,
        metrics: Metrics,
        clock: Clock,
        on_told: Callable[[], None],
    ) -> None:
        self.carriers = carriers
        self.clock = clock
        self.on_told = on_told
        self._database = database
        self._recorder = recorder
        self._shelf = shelf
        self._metrics = metrics

    async def find(
        self, shipments: Sequence[ShipmentId], asked: int | None, among: Collection[OrganizationId]
    ) -> Sequence[Known] | FieldError:
        """Say what is known of shipments, each of one of these organizations, or why it is not clear whose one is."""

        def read(transaction: Transaction) -> Sequence[Known] | FieldError:
            found = []
            for shipment in shipments:
                owner = owner_of(transaction, shipment, asked, among)
                if not isinstance(owner, int):
                    return owner
                found.append(known(transaction, owner, shipment))
            return found

        return await self._database.read(read)

    async def look(self, place: Place) -> Kept | None:
        """Say how a label stands."""
        return await self._database.read(lambda transaction: labels.look(transaction, place))

    async def content(self, kept: Kept | None) -> bytes | None:
        """Give the bytes of a label; None where they are not kept any more."""
        return None if kept is None or kept.content is None else await self._shelf.get(kept.content)

    async def fetch(self, known: Known, wish: LabelWish) -> Label:
        """Ask the carrier. Raises CarrierError."""
        return await self.carriers[known.organization].fetch(known.shipment, wish)

    async def keeping(self, known: Known, label: Label, cause: str | None) -> Unit[Kept]:
        """Put a label on the shelf; what this gives writes it down and tells of it. Raises StoreUnavailable."""
        place = Place(known.organization, known.shipment, label.format, label.kind)
        put = await self._shelf.put(content_of(place.organization, label.sha256), label.content)
        kept = Kept(place, "kept", self.clock(), sha256=label.sha256, size=len(label.content))

        def write(transaction: Transaction) -> Kept:
            fact = ready(kept, cause)
            ledgers = self._recorder.lock(transaction, {fact.subject})
            put(transaction)
            labels.keep(transaction, kept, self._shelf.drop)
            self._recorder.record(transaction, ledgers, [fact], kept.at)
            self._recorder.save(transaction, ledgers.values())
            return kept

        return write

    async def keep(self, known: Known, label: Label, cause: str | None = None) -> Kept:
        """Keep a label. Raises StoreError."""
        kept = await self._database.write(await self.keeping(known, label, cause))
        self.count(label.format, "kept")
        self.on_told()
        return kept

    def count(self, form: str, outcome: str) -> None:
        """Count what came of a wish."""
        self._metrics.labels.labels(form, outcome).inc()
