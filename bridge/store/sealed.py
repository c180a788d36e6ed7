"""What may hold personal data is encrypted, and kept in one table that can be emptied without touching a fact.

AES-256-GCM with a random nonce; the owner's name is bound in, so that a row cannot be moved to another owner.
"""

from __future__ import annotations

import hmac
import os
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.errors import KeyMissing
from bridge.store.database import Transaction

_NONCE = 12
_PLAIN = ""
"""The key id of what was stored while no key was configured: only with carriers that are stand-ins."""


@dataclass(frozen=True)
class Vault:
    """Seals with the newest key, opens with any. Without keys it keeps things as they are."""

    _keys: tuple[tuple[str, AESGCM], ...] = field(default=(), repr=False)
    _finders: tuple[bytes, ...] = field(default=(b"",), repr=False)

    @classmethod
    def with_keys(cls, keys: Sequence[bytes]) -> Vault:
        """Take keys of 32 bytes, newest first."""
        finders = tuple(hmac.digest(key, b"digests", "sha256") for key in keys)
        return cls(tuple((sha256(key).hexdigest()[:8], AESGCM(key)) for key in keys), (*finders, b""))

    @classmethod
    def from_texts(cls, keys: Sequence[str]) -> Vault:
        """Take keys as base64 text, standard or URL-safe, newest first."""
        return cls.with_keys([b64decode(key.translate(str.maketrans("-_", "+/")) + "==") for key in keys])

    def seal(self, owner: str, data: bytes) -> tuple[str, bytes]:
        """Encrypt; gives the key's id and the sealed bytes."""
        if not self._keys:
            return _PLAIN, data
        key_id, key = self._keys[0]
        nonce = os.urandom(_NONCE)
        return key_id, nonce + key.encrypt(nonce, data, owner.encode())

    def open(self, owner: str, key_id: str, data: bytes) -> bytes:
        """Decrypt. Raises KeyMissing where no configured key fits."""
        if key_id == _PLAIN:
            return data
        for known, key in self._keys:
            if known == key_id:
                try:
                    return key.decrypt(data[:_NONCE], data[_NONCE:], owner.encode())
                except (InvalidTag, ValueError) as error:  # ValueError: too short to be anything
                    raise KeyMissing("sealed data was changed") from error
        raise KeyMissing(f"no configured key has the id {key_id}")

    def digests(self, purpose: str, data: bytes) -> tuple[str, ...]:
        """Give what a short secret is found by: its digest under each key, by the newest first.

        Ten digits are found from a plain digest by trying them all. Under a key that the database does not hold, its
        rows alone say nothing of them. The last one is of what was stored while no key was configured.
        """
        named = purpose.encode() + b"\0" + data
        return tuple(hmac.digest(finder, named, "sha256").hex() for finder in self._finders)


def keep(transaction: Transaction, vault: Vault, things: Sequence[tuple[str, bytes]]) -> None:
    """Store (owner, data) pairs; what an owner had before is replaced."""
    rows = [(owner, *vault.seal(owner, data)) for owner, data in things]
    tail = "ON CONFLICT (owner) DO UPDATE SET key_id = excluded.key_id, data = excluded.data"
    transaction.insert("sealed (owner, key_id, data)", rows, tail=tail)
