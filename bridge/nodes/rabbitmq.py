"""A private RabbitMQ node: own ports, files, cookie and port mapper, nothing shared with a broker that already runs."""

import json
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from bridge.nodes.guard import NodeError, clean_environment, free_ports, newest_folder, tail
from bridge.nodes.node import POLL_S, START_S, Node

CONTROL_S = 60.0

# Debian's /usr/sbin/rabbitmq-server is a wrapper for root and the user rabbitmq only: look for what it wraps first.
INSTALLED = (
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "/usr/local/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "/opt/rabbitmq*/sbin",
    "/opt/rabbitmq*/*/sbin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/usr/local/opt/rabbitmq/sbin",
)


def find_rabbitmq() -> Path | None:
    """Find the folder with `rabbitmq-server` and `rabbitmqctl`; None where RabbitMQ or Erlang is not installed."""
    return None if _find_epmd() is None else newest_folder(INSTALLED, ["rabbitmq-server", "rabbitmqctl"])


def _find_epmd() -> Path | None:
    """Find Erlang's port mapper, on the path or beside `erl`."""
    erl, on_path = shutil.which("erl"), shutil.which("epmd")
    if erl is None or on_path is not None:
        return None if on_path is None or erl is None else Path(on_path)
    return next(iter(Path(erl).resolve().parent.parent.glob("**/erts-*/bin/epmd")), None)


class RabbitNode(Node):
    """A broker for the user `guest`, without plugins.

    A quorum queue declared within about the second before a `kill` may come back without its messages (seen with 3.10):
    its declaration is written later than the confirms. After that second, or an orderly restart, confirmed is kept.
    """

    name = "rabbitmq"
    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        programs, epmd = find_rabbitmq(), _find_epmd()
        if programs is None or epmd is None:
            raise NodeError("RabbitMQ or Erlang is not installed: rabbitmq-server, rabbitmqctl and erl are needed")
        super().__init__()
        self._programs = programs
        self._epmd_program = epmd
        self._epmd: subprocess.Popen[bytes] | None = None
        self.port, self._epmd_port, self._distribution_port = free_ports(3)
        self._env = self._environment()
        self._write_files()

    @property
    def url(self) -> str:
        """The virtual host `/`."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def vhost_url(self, vhost: str) -> str:
        """The same node, another virtual host."""
        return self.url + quote(vhost, safe="")

    def add_vhosts(self, names: Iterable[str]) -> None:
        """Make virtual hosts on the running node; all in one call, for each call starts a virtual machine."""
        definitions = self.folder / f"vhosts-{secrets.token_hex(4)}.json"
        definitions.write_text(json.dumps(_definitions(names)))
        self.control("import_definitions", str(definitions))

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` against this node and give what it prints."""
        done = subprocess.run(  # noqa: S603 - found by find_rabbitmq
            [self._programs / "rabbitmqctl", "--quiet", *arguments],
            env=self._env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CONTROL_S,
            check=False,
        )
        if done.returncode:
            raise NodeError(f"rabbitmqctl {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._start_epmd()
        return self._guard.spawn([self._programs / "rabbitmq-server"], env=self._env, log=self.log_file)

    def _start_epmd(self) -> None:
        """Start our own port mapper: the one that Erlang would start outlives the node."""
        if self._epmd is not None and self._epmd.poll() is None:
            return
        program = [str(self._epmd_program), "-address", "127.0.0.1", "-port", str(self._epmd_port)]
        output = self.folder / "epmd.log"
        self._epmd = self._guard.spawn(program, env=self._env, log=output)
        until = time.monotonic() + START_S
        while not _connects(self._epmd_port):
            if self._epmd.poll() is not None or time.monotonic() > until:
                raise NodeError(f"epmd did not start:\n{tail(output)}")
            time.sleep(POLL_S)

    def accepts(self) -> bool:
        """Whether an AMQP greeting is answered by a method frame, `Connection.Start`."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False

    def _environment(self) -> dict[str, str]:
        """Everything in our folder, so that no file of an installed broker is read or written."""
        files = {
            "HOME": "",
            "RABBITMQ_CONFIG_FILE": "rabbitmq.conf",
            "RABBITMQ_CONFIG_FILES": "conf.d",
            "RABBITMQ_ADVANCED_CONFIG_FILE": "advanced.config",
            "RABBITMQ_CONF_ENV_FILE": "rabbitmq-env.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": "enabled_plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": "generated",
            "RABBITMQ_MNESIA_BASE": "data",
            "RABBITMQ_LOG_BASE": "log",
            "RABBITMQ_PID_FILE": "pid",
        }
        return {
            **clean_environment("RABBITMQ_", "ERL_"),
            **{key: str(self.folder / name) for key, name in files.items()},
            "RABBITMQ_NODENAME": f"bridge-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_LOGS": "-",
            # Let the start script become the node, so that our child is the node; and no input all the same.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput +B i +S 2:2 -kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_CRASH_DUMP_SECONDS": "0",
        }

    def _write_files(self) -> None:
        cookie = self.folder / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "rabbitmq-env.conf").touch()
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.port}\n"
            "disk_free_limit.absolute = 10MB\n"
            "vm_memory_high_watermark.absolute = 1GB\n"
            "log.console.level = warning\n"
        )


def _connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _definitions(vhosts: Iterable[str]) -> dict[str, object]:
    """Describe these virtual hosts, and `guest` allowed everything in each."""
    names = list(vhosts)
    everything = {"user": "guest", "configure": ".*", "write": ".*", "read": ".*"}
    return {
        "vhosts": [{"name": name} for name in names],
        "permissions": [{**everything, "vhost": name} for name in names],
    }
