"""What a private broker and a private database have in common: starting, ending, crashing, freezing."""

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import structlog

from bridge.nodes.guard import Guard, NodeError, tail

log = structlog.get_logger(__name__)

START_S = 60.0
POLL_S = 0.02
STOP_S = 20.0


class Node(ABC):
    """One server in a temporary folder, on loopback, ended with its owner.

    Methods block: from an event loop, call them in a thread.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self) -> None:
        self._guard = Guard(f"bridge-{self.name}-")
        self.folder: Path = self._guard.folder
        self.log_file = self.folder / "node.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start the server's own process; its files may be there from an earlier run."""

    @abstractmethod
    def accepts(self) -> bool:
        """Whether a client would be served."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether the process is there; a paused one is."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until clients are served; the files of an earlier run are kept."""
        if self.running:
            return
        began = time.monotonic()
        self._process = self._spawn()
        if not self._wait_until_served(self._process):
            self.kill()
            raise NodeError(f"{self.name} did not start:\n{tail(self.log_file)}")
        log.debug("node.started", node=self.name, url=self.url, seconds=round(time.monotonic() - began, 2))

    def stop(self) -> None:
        """Shut down in order; a paused node is resumed to hear it."""
        if self._process is not None:
            self._signal(self.stop_signal)
            self.resume()
            self._wait_for_end(self._process)
            log.debug("node.stopped", node=self.name, url=self.url)

    def kill(self) -> None:
        """End at once, as a crash would."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._wait_for_end(self._process)
            log.debug("node.killed", node=self.name, url=self.url)

    def restart(self) -> None:
        """Stop, and start with the same files and ports."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End at once and remove every process and file."""
        self.kill()
        self._guard.close()

    def _signal(self, number: signal.Signals) -> None:
        """Send to the server, where there is one; its id may be somebody else's by now where there is none."""
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def _wait_until_served(self, process: subprocess.Popen[bytes]) -> bool:
        until = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < until:
            if self.accepts():
                return True
            time.sleep(POLL_S)
        return False

    def _wait_for_end(self, process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            process.wait()
