"""What the benchmarks send, and on what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.carriers.shipx import webhook
from tests.bench.cores import Cores
from tests.bench.machine import filesystem
from tests.bench.webhooks import ASIDE, ORGANIZATION, SIZE, body, head, request


@pytest.mark.parametrize("size", [SIZE, 256 * 1024])
@pytest.mark.parametrize("shipment", [1, ASIDE + 9_999])
def test_a_webhook_has_its_size_and_is_one_that_the_bridge_reads(shipment: int, size: int) -> None:
    data = body(shipment, size)
    read = webhook.read(data, datetime.now(UTC))
    assert (len(data), read.organization, read.shipment) == (size, ORGANIZATION, shipment)
    assert f"content-length: {size}\r\n".encode() in head(size)


def test_webhooks_are_unlike_each_other() -> None:
    ids = {webhook.read(body(number), datetime.now(UTC)).id for number in range(1, 50)}
    assert len(ids) == 49
    assert len({request(number) for number in range(1, 50)}) == 49


def test_a_server_is_alone_on_its_core_where_there_is_more_than_one() -> None:
    assert (Cores((3,)).server, Cores((3,)).others) == ({3}, {3})
    assert (Cores((0, 1)).server, Cores((0, 1)).others) == ({0}, {1})
    assert (Cores((0, 1)).second_server, Cores((0, 1)).are_enough_for_two) == ({1}, False)
    assert (Cores((0, 1, 2, 3)).second_server, Cores((0, 1, 2, 3)).are_enough_for_two) == ({1}, True)


def test_the_file_system_is_the_one_of_the_nearest_mount() -> None:
    mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk xfs rw 0 0\n"
    kinds = [filesystem(Path(folder), mounts) for folder in ("/var", "/tmp/a", "/tmp/disk/b", "/tmpx")]
    assert kinds == ["ext4", "tmpfs", "xfs", "ext4"]
    assert filesystem(Path("/tmp"), "") == "an unknown file system"
