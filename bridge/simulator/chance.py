"""What is left to chance, and comes out the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Draws by name. What is drawn follows from the seed and the name alone, never from what was drawn before.

    So the third read of a shipment meets the same fault, whatever happened to other shipments meanwhile.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._times: Counter[tuple[object, ...]] = Counter()

    def draw(self, *name: object) -> float:
        """Give a number from 0 to under 1."""
        text = "\0".join(map(str, (self._seed, *name)))
        digest = blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / 2**53

    def between(self, span: tuple[float, float], *name: object) -> float:
        """Give a number from the first to the second."""
        low, high = span
        return low + (high - low) * self.draw(*name)

    def shuffled(self, items: Sequence[T], *name: object) -> list[T]:
        """Give the items in another order than they have."""
        drawn = sorted(range(len(items)), key=lambda place: self.draw(*name, place))
        if drawn == sorted(drawn):
            drawn.reverse()
        return [items[place] for place in drawn]

    def times(self, *name: object) -> int:
        """Count the times it was asked for this name, this time included."""
        self._times[name] += 1
        return self._times[name]
