"""What arrives at RabbitMQ and how it is set up there, as the contract says, and what is said when it cannot be."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aio_pika
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from bridge.broker.rabbit import RabbitPublisher, apply_topology
from bridge.broker.topology import COMMANDS, DEAD, EVENTS, UNROUTED, describe
from bridge.errors import BrokerError, BrokerUnavailable, PublishRefused, TopologyMissing
from bridge.model import Event, EventId, Subject
from bridge.nodes.guard import free_ports
from bridge.nodes.rabbitmq import RabbitNode
from bridge.observability import configure_logging
from bridge.ports import Answer
from tests.nodes import SharedRabbit
from tests.support.bridge import until
from tests.support.ran import Ran
from tests.support.verbs import verb

EVENT = Event(
    position=7,
    id=EventId("8f6f2b7c-6c83-5a4e-9d27-0b1b7d1f2a10"),
    type="shipment.status_changed",
    subject=Subject("/shipx/4821", "shipment/3900000017"),
    sequence=3,
    routing_key="shipx.shipment.status_changed.delivered",
    organization="4821",
    recorded_at=datetime(2026, 3, 22, 8, 41, 10, 250_000, tzinfo=UTC),
    body=b'{"id":"8f6f2b7c-6c83-5a4e-9d27-0b1b7d1f2a10"}',
)


def numbered(number: int, *, key: str = EVENT.routing_key, body: bytes = EVENT.body) -> Event:
    return replace(EVENT, id=EventId(f"event-{number}"), position=number, routing_key=key, body=body)


PASSWORD = "hunter2-is-secret"


def publisher(url: str, *, declares: bool = True) -> RabbitPublisher:
    return RabbitPublisher(SecretStr(url), declares=declares, environment="sandbox")


class Line:
    """A publisher whose answers can be waited for."""

    def __init__(self, rabbit: RabbitPublisher) -> None:
        self.rabbit = rabbit
        self.answers: dict[EventId, BrokerError | None] = {}

    async def connect(self) -> None:
        await self.rabbit.connect(self._answered)

    async def publish(self, *events: Event) -> None:
        """Publish, wait until each is answered, and raise the first error that came."""
        self.answers.clear()
        self.rabbit.publish(events)
        await until(lambda: len(self.answers) == len(events))
        for error in self.answers.values():
            if error is not None:
                raise error

    def _answered(self, answers: Sequence[Answer]) -> None:
        for event, error in answers:
            assert event.id not in self.answers, "answered twice"
            self.answers[event.id] = error


@asynccontextmanager
async def connected(url: str, *, declares: bool = True) -> AsyncIterator[Line]:
    line = Line(publisher(url, declares=declares))
    await line.connect()
    try:
        yield line
    finally:
        await line.rabbit.close()


@asynccontextmanager
async def channel(url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    async with await aio_pika.connect(url) as connection, connection.channel() as opened:
        yield opened


def vhost(url: str) -> str:
    return unquote(urlsplit(url).path[1:])


# -- messages ----------------------------------------------------------------------------------------------------------


async def test_a_message_has_the_properties_of_the_contract(amqp_url: str) -> None:
    async with connected(amqp_url) as line, channel(amqp_url) as consumer:
        queue = await consumer.declare_queue(exclusive=True)
        await queue.bind(EVENTS, "shipx.shipment.status_changed.*")
        await line.publish(EVENT)
        message = await queue.get(no_ack=True)
    assert message is not None
    assert (message.exchange, message.routing_key) == (EVENTS, EVENT.routing_key)
    assert message.body == EVENT.body
    assert message.content_type == "application/cloudevents+json"
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert message.message_id == EVENT.id
    assert message.type == "bridge.shipment.status_changed.v1"
    assert message.timestamp == datetime(2026, 3, 22, 8, 41, 10, tzinfo=UTC)
    assert message.headers == {"organization": "4821", "environment": "sandbox"}
    assert (message.content_encoding, message.expiration, message.reply_to) == (None, None, None)


async def test_messages_sent_at_once_arrive_in_their_order_and_each_is_confirmed(amqp_url: str) -> None:
    some = [numbered(number) for number in range(500)]
    async with connected(amqp_url) as line, channel(amqp_url) as consumer:
        queue = await consumer.declare_queue(exclusive=True)
        await queue.bind(EVENTS, "#")
        await line.publish(*some)
        got = [await queue.get(no_ack=True) for _ in some]
    assert [message.message_id for message in got] == [event.id for event in some]


@pytest.mark.parametrize("over", [-1, 0, 1, 200_000])
async def test_a_body_may_be_larger_than_a_frame(amqp_url: str, over: int) -> None:
    body = b'{"data":"' + b"z" * (131_072 - 8 + over - 11) + b'"}'
    async with connected(amqp_url) as line, channel(amqp_url) as consumer:
        queue = await consumer.declare_queue(exclusive=True)
        await queue.bind(EVENTS, "#")
        await line.publish(numbered(1), numbered(2, body=body), numbered(3))
        got = [await queue.get(no_ack=True) for _ in range(3)]
    assert [message.body for message in got] == [EVENT.body, body, EVENT.body]


async def test_a_full_queue_refuses_its_own_message_and_no_other(amqp_url: str) -> None:
    async with connected(amqp_url) as line, channel(amqp_url) as consumer:
        queue = await consumer.declare_queue(
            exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}
        )
        await queue.bind(EVENTS, "full")
        with pytest.raises(PublishRefused):
            await line.publish(*(numbered(number, key=key) for number, key in enumerate(("full", "else", "full"))))
    assert [line.answers[numbered(number).id] is None for number in range(3)] == [True, True, False]


async def test_a_message_nobody_is_bound_for_is_confirmed_and_lies_in_the_unrouted_queue(amqp_url: str) -> None:
    async with connected(amqp_url) as line:
        await line.publish(EVENT)
        counts = await line.rabbit.counts()
    assert counts is not None
    assert (counts.unrouted, counts.dead) == (1, 0)


async def test_a_message_that_finds_no_queue_at_all_comes_back(amqp_url: str) -> None:
    async with connected(amqp_url) as line, channel(amqp_url) as operator:
        await operator.queue_delete(UNROUTED)
        with pytest.raises(TopologyMissing):
            await line.publish(EVENT)


async def test_what_comes_back_is_told_of_its_own_message_and_the_library_sees_none_of_it(
    amqp_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await apply_topology(SecretStr(amqp_url))
    async with connected(amqp_url, declares=False) as line, channel(amqp_url) as operator:
        await operator.queue_delete(UNROUTED)
        queue = await operator.declare_queue(exclusive=True)
        await queue.bind(EVENTS, "bound")
        some = [numbered(number, key=key) for number, key in enumerate(("bound", "lost", "bound", "lost", "bound"))]
        with pytest.raises(TopologyMissing):
            await line.publish(*some)
        told = [line.answers[event.id] is None for event in some]
        await line.publish(some[0])
        counts = await line.rabbit.counts()
    assert told == [True, False, True, False, True]
    assert counts is None, "the queue to count is missing"
    assert [record.getMessage() for record in caplog.records if record.name.startswith("aiormq")] == []


async def test_counting_a_queue_that_is_missing_gives_nothing_and_publishing_goes_on(amqp_url: str) -> None:
    async with connected(amqp_url) as line, channel(amqp_url) as operator:
        await operator.queue_delete(DEAD)
        assert await line.rabbit.counts() is None
        await line.publish(EVENT)


async def test_a_deleted_exchange_breaks_the_channel_and_connecting_again_makes_it(amqp_url: str) -> None:
    async with connected(amqp_url) as line, channel(amqp_url) as operator:
        await operator.exchange_delete(EVENTS)
        with pytest.raises(BrokerUnavailable):
            await line.publish(EVENT)
        await line.connect()
        await line.publish(EVENT)


async def test_a_connection_that_the_broker_closes_is_said_to_be_away(shared_rabbit: SharedRabbit) -> None:
    async with connected(shared_rabbit.url) as line:
        shared_rabbit.close_connections()

        async def is_away() -> bool:
            try:
                await line.publish(EVENT)
            except BrokerUnavailable:
                return True
            return False

        await until(is_away)
        assert await line.rabbit.counts() is None
        await line.connect()
        await line.publish(EVENT)


async def test_a_frozen_broker_holds_up_neither_counting_nor_leaving(shared_rabbit: SharedRabbit) -> None:
    line = Line(publisher(shared_rabbit.url))
    await line.connect()
    async with asyncio.timeout(5):
        await freeze(shared_rabbit, line)
        await line.rabbit.close()


async def freeze(rabbit: RabbitNode | SharedRabbit, line: Line) -> None:
    """Stop a broker where it stands. The signal is on its way for a moment, in which it may answer once more."""
    rabbit.pause()
    while await line.rabbit.counts() is not None:
        pass


async def test_what_is_on_its_way_when_the_connection_is_closed_is_lost(shared_rabbit: SharedRabbit) -> None:
    line = Line(publisher(shared_rabbit.url))
    await line.connect()
    some = [numbered(number) for number in range(3)]
    await freeze(shared_rabbit, line)
    line.rabbit.publish(some)
    await line.rabbit.close()
    assert {name: type(error) for name, error in line.answers.items()} == {one.id: BrokerUnavailable for one in some}
    assert not line.rabbit.is_open


async def test_what_is_on_its_way_when_the_broker_dies_is_lost(own_rabbit: RabbitNode) -> None:
    async with connected(own_rabbit.url) as line:
        await freeze(own_rabbit, line)
        line.rabbit.publish([numbered(1), numbered(2)])
        await asyncio.to_thread(own_rabbit.kill)
        await until(lambda: len(line.answers) == 2)
        assert {type(error) for error in line.answers.values()} == {BrokerUnavailable}
        assert not line.rabbit.is_open


@pytest.fixture(params=["dies", "says so"])
def breaking(request: pytest.FixtureRequest) -> tuple[str, Callable[[], object]]:
    """A broker's URL, and how its connections come to break."""
    if request.param == "dies":
        own: RabbitNode = request.getfixturevalue("own_rabbit")
        return own.url, own.kill
    shared: SharedRabbit = request.getfixturevalue("shared_rabbit")
    return shared.url, shared.close_connections


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_publish_at_any_moment_of_a_connection_that_breaks_is_lost_or_not_sent(
    breaking: tuple[str, Callable[[], object]], loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """While it breaks the transport is closed already and the library does not know it yet."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(publish_until_lost(*breaking))


async def publish_until_lost(url: str, end: Callable[[], object]) -> None:
    sent = list[EventId]()
    async with connected(url) as line:
        ending = asyncio.create_task(asyncio.to_thread(end))
        with suppress(BrokerUnavailable):
            for number in itertools.count():
                line.rabbit.publish([numbered(number)])
                sent.append(numbered(number).id)
                await asyncio.sleep(0)
        await ending
        await until(lambda: not line.rabbit.is_open)
    assert sorted(line.answers) == sorted(sent)
    assert {type(error) for error in line.answers.values()} <= {type(None), BrokerUnavailable}


async def test_publishing_goes_over_tls_where_the_address_says_so(amqp_url: str, tmp_path: Path) -> None:
    async with tls(urlsplit(amqp_url).port or 0, tmp_path) as (port, authority):
        address = urlsplit(amqp_url)._replace(scheme="amqps", netloc=f"guest:guest@localhost:{port}").geturl()
        with pytest.raises(BrokerUnavailable, match="TLS"):
            await Line(publisher(address)).connect()
        async with connected(f"{address}?cafile={authority}") as line, channel(amqp_url) as consumer:
            queue = await consumer.declare_queue(exclusive=True)
            await queue.bind(EVENTS, "#")
            await line.publish(*(numbered(number) for number in range(100)))
            counted = (await consumer.declare_queue(queue.name, passive=True)).declaration_result
    assert counted.message_count == 100


@asynccontextmanager
async def tls(port: int, folder: Path) -> AsyncIterator[tuple[int, Path]]:
    """Put TLS in front of a port; gives the new port, and the certificate to trust."""
    certificate = self_signed(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, folder / "key.pem")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], certificate


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()


def self_signed(folder: Path) -> Path:
    """Make a key, and a certificate for `localhost` that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begins = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "certificate.pem"


async def test_before_it_is_connected_nothing_is_published_or_counted(amqp_url: str) -> None:
    line = Line(publisher(amqp_url))
    with pytest.raises(BrokerUnavailable, match="not connected"):
        await line.publish(EVENT)
    assert await line.rabbit.counts() is None


# -- topology ----------------------------------------------------------------------------------------------------------


def listed(rabbit: RabbitNode, url: str, what: str, *columns: str) -> list[dict[str, Any]]:
    """Ask the broker itself."""
    found: list[dict[str, Any]] = json.loads(
        rabbit.control(f"list_{what}", "-p", vhost(url), "--formatter", "json", *columns)
    )
    return found


def declared(rabbit: RabbitNode, url: str) -> dict[str, Any]:
    """Give the broker's own account of everything of ours, in the words of `describe`."""
    exchanges = listed(rabbit, url, "exchanges", "name", "type", "durable", "arguments")
    queues = listed(rabbit, url, "queues", "name", "durable", "arguments")
    bindings = listed(rabbit, url, "bindings", "source_name", "destination_name", "routing_key")
    return {
        "exchanges": _sorted(
            one | {"arguments": _arguments(one["arguments"])} for one in exchanges if one["name"].startswith("bridge.")
        ),
        "queues": _sorted(one | {"arguments": _arguments(one["arguments"])} for one in queues),
        "bindings": _sorted(
            {"exchange": one["source_name"], "queue": one["destination_name"], "routing_key": one["routing_key"]}
            for one in bindings
            if one["source_name"]
        ),
    }


def _arguments(found: Any) -> dict[str, Any]:
    """Read a table of arguments, which older brokers print as (name, type, value)."""
    if isinstance(found, dict):
        return found
    return {one[0]: one[-1] for one in found}


def _sorted(found: Any) -> list[dict[str, Any]]:
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True))


async def test_what_is_shown_is_what_is_declared(rabbit: RabbitNode, amqp_url: str) -> None:
    await apply_topology(SecretStr(amqp_url))
    shown = {kind: _sorted(parts) for kind, parts in describe().items()}
    assert declared(rabbit, amqp_url) == shown


async def test_applying_again_changes_nothing_and_empties_nothing(rabbit: RabbitNode, amqp_url: str) -> None:
    async with connected(amqp_url) as first:
        await first.publish(EVENT)
    before = declared(rabbit, amqp_url)
    await apply_topology(SecretStr(amqp_url))
    await apply_topology(SecretStr(amqp_url))
    assert declared(rabbit, amqp_url) == before
    async with connected(amqp_url) as second:
        counts = await second.rabbit.counts()
    assert counts is not None
    assert counts.unrouted == 1


async def test_the_topology_is_the_one_of_the_contract() -> None:
    shown = describe()
    queues = {one["name"]: one["arguments"] for one in shown["queues"]}
    assert {one["name"]: one["type"] for one in shown["exchanges"]} == {
        EVENTS: "topic",
        UNROUTED: "fanout",
        COMMANDS: "topic",
        DEAD: "topic",
    }
    assert next(one for one in shown["exchanges"] if one["name"] == EVENTS)["arguments"] == {
        "alternate-exchange": UNROUTED
    }
    assert set(queues) == {UNROUTED, COMMANDS, DEAD}
    assert all(arguments["x-queue-type"] == "quorum" for arguments in queues.values())
    assert (queues[UNROUTED]["x-max-length"], queues[UNROUTED]["x-overflow"]) == (100_000, "drop-head")
    assert queues[COMMANDS]["x-delivery-limit"] == 10
    assert queues[COMMANDS]["x-dead-letter-exchange"] == DEAD
    assert queues[COMMANDS]["x-dead-letter-strategy"] == "at-least-once"
    assert queues[DEAD]["x-message-ttl"] == 7 * 24 * 3600 * 1000


async def test_a_queue_that_is_there_with_other_properties_is_named(amqp_url: str) -> None:
    async with channel(amqp_url) as other:
        await other.declare_queue(UNROUTED, durable=True, arguments={"x-max-length": 5})
    with pytest.raises(BrokerUnavailable, match=r"could not be declared: .*'bridge\.unrouted'") as applying:
        await apply_topology(SecretStr(amqp_url))
    assert "guest:guest" not in str(applying.value)
    with pytest.raises(BrokerUnavailable, match=r"'bridge\.unrouted'"):
        await Line(publisher(amqp_url)).connect()


async def test_an_exchange_that_is_there_with_other_properties_is_named(amqp_url: str) -> None:
    async with channel(amqp_url) as other:
        await other.declare_exchange(EVENTS, aio_pika.ExchangeType.FANOUT, durable=True)
    with pytest.raises(BrokerUnavailable, match=r"could not be declared: .*'bridge\.events'"):
        await apply_topology(SecretStr(amqp_url))


async def test_where_declaring_is_not_ours_a_missing_exchange_is_named_and_nothing_is_made(
    rabbit: RabbitNode, amqp_url: str
) -> None:
    with pytest.raises(BrokerUnavailable, match=r"'bridge\.events'"):
        await Line(publisher(amqp_url, declares=False)).connect()
    assert declared(rabbit, amqp_url) == {"exchanges": [], "queues": [], "bindings": []}


async def test_where_declaring_is_not_ours_what_others_declared_is_used(amqp_url: str) -> None:
    await apply_topology(SecretStr(amqp_url))
    async with connected(amqp_url, declares=False) as line:
        await line.publish(EVENT)


async def topology(url: str, what: str) -> Ran:
    """Run the verb as an operator would."""
    settings = {"BRIDGE_AMQP_URL": url, "BRIDGE_ENVIRONMENT": "demo", "BRIDGE_ROLES": "relay"}
    return await verb(settings, "topology", what)


async def test_the_verbs_apply_and_show_the_topology(rabbit: RabbitNode, amqp_url: str) -> None:
    applied = await topology(amqp_url, "apply")
    assert (applied.code, applied.err) == (0, "")
    shown = (await topology(amqp_url, "show")).json
    assert declared(rabbit, amqp_url) == {kind: _sorted(parts) for kind, parts in shown.items()}


async def test_the_verb_says_in_a_line_what_differs(amqp_url: str) -> None:
    async with channel(amqp_url) as other:
        await other.declare_queue(DEAD, durable=True)
    applied = await topology(amqp_url, "apply")
    assert applied.code == 1
    assert applied.err.startswith("bridge: the topology could not be declared: ")
    assert "'bridge.dead'" in applied.err
    assert applied.err.count("\n") == 1


# -- secrets -----------------------------------------------------------------------------------------------------------


def unusable(rabbit: RabbitNode) -> dict[str, str]:
    """List addresses that do not work, each with a password in it."""
    return {
        "nobody listens": f"amqp://guest:{PASSWORD}@127.0.0.1:{free_ports(1)[0]}/",
        "wrong password": f"amqp://guest:{PASSWORD}@127.0.0.1:{rabbit.port}/",
        "no such virtual host": f"amqp://guest:guest@127.0.0.1:{rabbit.port}/{PASSWORD}",
        "not AMQP": f"amqp://guest:{PASSWORD}@127.0.0.1:{rabbit.port}/?heartbeat={PASSWORD}",
    }


WORDS = {
    # what is wrong, what every part of the bridge says of it
    "nobody listens": "the broker cannot be reached: nothing listens at its address: ",
    "wrong password": "the broker refuses the user or the password: ",
    "no such virtual host": "the broker does not open the virtual host: ",
}


@pytest.mark.parametrize("case", WORDS)
async def test_what_keeps_us_out_is_told_in_words(case: str, rabbit: RabbitNode) -> None:
    url = unusable(rabbit)[case]
    with pytest.raises(BrokerUnavailable) as connecting:
        await Line(publisher(url)).connect()
    with pytest.raises(BrokerUnavailable) as applying:
        await apply_topology(SecretStr(url))
    assert str(connecting.value).startswith(WORDS[case])
    assert str(applying.value) == f"the topology could not be declared: {connecting.value}"


@pytest.mark.parametrize("case", ["nobody listens", "wrong password", "no such virtual host"])
async def test_no_error_or_log_line_holds_what_is_in_the_address(
    case: str, rabbit: RabbitNode, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = unusable(rabbit)[case]
    adapter = publisher(url)
    with pytest.raises(BrokerUnavailable) as connecting:
        await Line(adapter).connect()
    with pytest.raises(BrokerUnavailable) as applying:
        await apply_topology(SecretStr(url))
    for told in (
        str(connecting.value),
        str(applying.value),
        repr(connecting.value),
        repr(adapter),
        repr(vars(adapter)),
    ):
        assert PASSWORD not in told


async def test_the_process_tells_nobody_what_is_in_the_address(rabbit: RabbitNode) -> None:
    for case, url in unusable(rabbit).items():
        ran = await topology(url, "apply")
        assert ran.code == 1, case
        assert PASSWORD not in ran.out + ran.err, case
        assert "Traceback" not in ran.err, case
        assert ran.err.splitlines()[-1].startswith("bridge: the topology could not be declared: "), case


def test_what_the_library_logs_of_a_connection_is_left_out() -> None:
    lines = io.BytesIO()
    configure_logging(lines)
    logging.getLogger("aiormq.connection").error("cannot reach amqp://guest:%s@host", PASSWORD)
    assert PASSWORD.encode() not in lines.getvalue()
