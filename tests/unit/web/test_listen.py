"""A socket that cannot be opened says which setting is to blame."""

from __future__ import annotations

import socket

import pytest

from bridge.errors import SettingsError
from bridge.web.server import listen

HOSTS = [
    # host, remark
    ("no-such-host.invalid", "a name nobody has"),
    ("a" * 64, "no name at all"),
    ("192.0.2.1", "another machine's address"),
]


@pytest.mark.parametrize(("host", "remark"), HOSTS, ids=[row[-1] for row in HOSTS])
def test_a_wrong_host_is_the_hosts_fault(host: str, remark: str) -> None:
    with pytest.raises(SettingsError) as caught:
        listen(host, 0, "PORT")
    ((key, text),) = caught.value.problems
    assert key == "BRIDGE_HTTP__HOST", remark
    assert text.startswith(f"cannot listen on {host}:")


def test_a_taken_port_is_the_ports_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            listen("127.0.0.1", port, "PORT")
    assert caught.value.problems == [("PORT", f"cannot listen on 127.0.0.1:{port}: Address already in use")]
