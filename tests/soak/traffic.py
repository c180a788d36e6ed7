"""Lives of shipments as webhooks, in waves: some repeated, all shuffled, each sent until it is acknowledged."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random
from typing import Final

from tests.faults.load import LIFE, Sender, facts, lives, shuffled

WAVE_S: Final = 10.0
REPEATED: Final = 0.2
"""The share of a wave that is sent once more."""


class Traffic:
    """Sends waves until told to stop, and remembers what must have become of them."""

    def __init__(self, urls: tuple[str, ...], random: Random, per_second: float) -> None:
        self._urls = urls
        self._random = random
        self._shipments = max(round(per_second * WAVE_S / (1 + REPEATED) / len(LIFE)), 1)
        self._stopped = False
        self.expected: Counter[tuple[str, str, str]] = Counter()
        """What a consumer must learn: subject, type and word, each once."""
        self.outcomes: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.kept: set[bytes] = set()
        """The ids of acknowledged deliveries, in half the bytes."""
        self.different = 0

    def stop(self) -> None:
        """Let the present wave be acknowledged, and send no more."""
        self._stopped = True

    async def send(self) -> None:
        """Send one wave after the other until `stop`."""
        for wave in itertools.count():
            if self._stopped:
                break
            webhooks = lives(self._shipments, first=1 + wave * self._shipments)
            sender = Sender(self._urls, self._random)
            await sender.send(shuffled(webhooks, int(len(webhooks) * REPEATED), self._random), WAVE_S)
            self.different += len(webhooks)
            self.expected += facts(webhooks)
            self.failures += sender.failures
            for _, outcome, delivery in sender.answers:
                self.outcomes[outcome] += 1
                self.kept.add(bytes.fromhex(delivery))
