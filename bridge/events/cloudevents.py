"""A fact becomes a CloudEvents 1.0 document in structured JSON: made once, stored, and sent as it is for ever.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1
from typing import Final
from uuid import UUID

from pydantic_core import to_json

from bridge.events.catalogue import versioned
from bridge.model import PARTITIONS, EventId, Fact, Subject

CONTENT_TYPE: Final = "application/cloudevents+json"
NAMESPACE: Final = UUID("6f0ce0a5-4f0b-5d1b-8f37-6a1c2f6c9a51")
_NAMESPACE: Final = NAMESPACE.bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is the same in every event of one bridge. `environment` is part of every id."""

    environment: str

    def event_id(self, fact: Fact) -> EventId:
        """Mint the id of a fact: the same fact, seen again in any way, has the same id."""
        parts = (self.environment, fact.subject.source, fact.subject.name, fact.type, fact.key)
        return EventId(_uuid5("\x1f".join(parts)))

    def serialize(self, fact: Fact, event_id: EventId, *, sequence: int, recorded_at: datetime) -> bytes:
        """Write the event's bytes. Times are UTC; `sequence` is ten digits, so that text order is number order."""
        kind = versioned(fact.type)
        document: dict[str, object] = {
            "specversion": "1.0",
            "id": event_id,
            "source": fact.subject.source,
            "type": kind,
            "subject": fact.subject.name,
            "time": _utc(fact.occurred_at),
            "datacontenttype": "application/json",
            "dataschema": f"{schema_uri(kind)}#/properties/data",
            "sequence": f"{sequence:010d}",
            "partitionkey": fact.subject.name,
            "recordedtime": _utc(recorded_at),
            "environment": self.environment,
        }
        if fact.causation:
            document |= {"correlationid": fact.causation, "causationid": fact.causation}
        document["data"] = fact.data
        return to_json(document)


def _uuid5(name: str) -> str:
    """Write the UUID of a name (RFC 9562, version 5) as the library would, without making an object of it first."""
    text = sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


def schema_uri(kind: str) -> str:
    """Name the schema of a published type: an absolute URI, as CloudEvents asks, that no host's name is part of."""
    return f"urn:shipx-bridge:schemas:{kind}"


def routing_key(fact: Fact) -> str:
    """Name the route: `shipx.shipment.status_changed.delivered`; a facet's dots would add parts, so they go."""
    provider = fact.subject.source.split("/", 2)[1]
    facet = "" if fact.facet is None else "." + fact.facet.replace(".", "_")
    return f"{provider}.{fact.type}{facet}"


def partition(subject: Subject) -> int:
    """Spread subjects over the relay's partitions; stored on the row, so it must never change."""
    return zlib.crc32(f"{subject.source}\x1f{subject.name}".encode()) % PARTITIONS


def _utc(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").removesuffix("+00:00") + "Z"
