"""Which provider makes a return: the one that was named, or those that the rules prefer, in their order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridge.errors import FieldProblem


@dataclass(frozen=True, slots=True)
class Wish:
    """What a return is routed by. `connection` is the name of an account at its provider."""

    provider: str | None = None
    connection: str | None = None
    country: str | None = None
    parcel_size: str | None = None
    organization: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A rule: who makes the returns that it is for, the preferred one first. What is empty narrows nothing."""

    providers: tuple[str, ...]
    countries: frozenset[str] = frozenset()
    parcel_sizes: frozenset[str] = frozenset()
    organizations: frozenset[int] = frozenset()

    def is_for(self, wish: Wish) -> bool:
        """Say whether it is for this one. What was not said is in no list."""
        return (
            (not self.countries or wish.country in self.countries)
            and (not self.parcel_sizes or wish.parcel_size in self.parcel_sizes)
            and (not self.organizations or wish.organization in self.organizations)
        )


@dataclass(frozen=True, slots=True)
class Ways:
    """The connections that may make it, the best first. `is_by_rule`: nobody was named, and a rule leads to them."""

    connections: tuple[str, ...]
    is_by_rule: bool = False


def ways(wish: Wish, routes: Sequence[Route], connections: Sequence[str]) -> Ways | FieldProblem:
    """Give the connections that may make it; or which field says too little, or what is not there.

    `connections` are those that there are: `inpost_returns/main`.
    """
    if wish.provider is None and wish.connection is None:
        return _routed(wish, routes, connections)
    named = tuple(one for one in connections if _is_named(wish, one))
    if not named:
        return FieldProblem("provider" if wish.connection is None else "connection", "unknown_value")
    return Ways(named) if len(named) == 1 else FieldProblem("connection" if wish.provider else "provider", "missing")


def _is_named(wish: Wish, connection: str) -> bool:
    provider, _, name = connection.partition("/")
    return wish.provider in (None, provider) and wish.connection in (None, name)


def _routed(wish: Wish, routes: Sequence[Route], connections: Sequence[str]) -> Ways | FieldProblem:
    route = next((one for one in routes if one.is_for(wish)), None)
    if route is not None and (found := tuple(_preferred(route.providers, connections))):
        return Ways(found, is_by_rule=True)
    return Ways(tuple(connections)) if len(connections) == 1 else FieldProblem("provider", "missing")


def _preferred(providers: Iterable[str], connections: Sequence[str]) -> Iterable[str]:
    return (one for provider in providers for one in connections if one.partition("/")[0] == provider)
