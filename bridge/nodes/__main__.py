"""`python -m bridge.nodes rabbitmq postgres`: print the Debian packages of those servers that are not installed."""

import sys

from bridge.nodes.postgres import find_postgres
from bridge.nodes.rabbitmq import find_rabbitmq

SERVERS = {"rabbitmq": (find_rabbitmq, "rabbitmq-server"), "postgres": (find_postgres, "postgresql")}


def missing(names: list[str]) -> list[str]:
    """Name the packages to install for these servers."""
    return [package for find, package in (SERVERS[name] for name in names) if find() is None]


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing(sys.argv[1:])))
