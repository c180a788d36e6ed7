"""What may hold personal data is unreadable without its key, and belongs to its owner alone."""

from __future__ import annotations

from hashlib import sha256

import pytest

from bridge.errors import KeyMissing
from bridge.store.sealed import Vault

OLD, NEW = b"o" * 32, b"n" * 32
BODY = b'{"last_name": "Kowalska"}'


def test_what_is_sealed_is_not_readable_and_never_the_same_twice() -> None:
    vault = Vault.with_keys([NEW])
    first, second = vault.seal("a", BODY), vault.seal("a", BODY)
    assert first != second
    assert b"Kowalska" not in first[1] + second[1]
    assert vault.open("a", *first) == vault.open("a", *second) == BODY


def test_after_a_rotation_old_things_open_and_new_ones_take_the_new_key() -> None:
    before = Vault.with_keys([OLD]).seal("a", BODY)
    rotated = Vault.with_keys([NEW, OLD])
    assert rotated.open("a", *before) == BODY
    after = rotated.seal("a", BODY)
    assert after[0] != before[0]
    assert Vault.with_keys([NEW]).open("a", *after) == BODY


def test_without_its_key_nothing_opens() -> None:
    sealed = Vault.with_keys([OLD]).seal("a", BODY)
    for vault in (Vault.with_keys([NEW]), Vault()):
        with pytest.raises(KeyMissing, match="no configured key"):
            vault.open("a", *sealed)


def test_what_was_moved_or_changed_does_not_open() -> None:
    vault = Vault.with_keys([NEW])
    key_id, data = vault.seal("a", BODY)
    for owner, altered in [("b", data), ("a", data[:-1]), ("a", b"\x00" + data[1:]), ("a", b"")]:
        with pytest.raises(KeyMissing):
            vault.open(owner, key_id, altered)


def test_without_keys_things_stay_as_they_are_and_open_later_with_keys_too() -> None:
    sealed = Vault().seal("a", BODY)
    assert sealed == ("", BODY)
    assert Vault.with_keys([NEW]).open("a", *sealed) == BODY


def test_keys_do_not_stand_in_what_is_printed() -> None:
    assert repr(Vault.with_keys([NEW])) == "Vault()"


def test_a_short_secret_is_found_under_every_key_that_is_known_and_no_other() -> None:
    code = b"1234567890"
    before, rotated, other = Vault.with_keys([OLD]), Vault.with_keys([NEW, OLD]), Vault.with_keys([NEW])
    digest = before.digests("code", code)[0]
    assert digest in rotated.digests("code", code)
    assert rotated.digests("code", code)[0] == other.digests("code", code)[0]
    assert digest not in (*other.digests("code", code), *before.digests("else", code))
    assert digest not in (sha256(code).hexdigest(), *Vault().digests("code", code))


def test_what_was_stored_without_keys_is_found_later_with_keys_too() -> None:
    [digest] = Vault().digests("code", b"1234567890")
    assert digest in Vault.with_keys([NEW]).digests("code", b"1234567890")
