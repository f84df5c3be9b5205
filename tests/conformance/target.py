"""A whole target in this process: real listeners, schema, writer, datastore, operational tree and streams.

Only the host is a double, in memory. The modules are those of the product together with the fixture's, all
under `openconfig`, and the fixture's a second time under an origin of their own, `fixture`.
"""

import asyncio
import atexit
import functools
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path as File
from types import TracebackType
from typing import Self

import grpc

from conformance.host_source import HostSource
from conformance.wire import Client, Metadata
from doubles.box import CAPABILITIES, INSTANCE, STATE_DIR, furnish
from doubles.drivers import FakeDrivers
from doubles.host import Host
from twinplane.clock import Clock
from twinplane.configuration import Configuration, completed, standing
from twinplane.drift import Suspicions
from twinplane.identity.directory import Directory
from twinplane.model import rules
from twinplane.object_codec import ObjectCodec
from twinplane.occurrence import Occurrences
from twinplane.plan.plan import plan
from twinplane.schema.compile import Schemas, load_schema
from twinplane.schema.validate import Validator
from twinplane.services.config.commit import orphaned
from twinplane.services.config.service import NAME as CONFIG_NAME
from twinplane.services.config.service import config
from twinplane.services.config.target import Target as ConfigTarget
from twinplane.services.gnmi.leaf import LeafEncoder
from twinplane.services.gnmi.past import Past
from twinplane.services.gnmi.service import NAME, gnmi
from twinplane.services.gnmi.target import Target as Wired
from twinplane.services.rpc import Door, Limits
from twinplane.services.server import Server, TcpListener, local_sockets
from twinplane.services.standard import Standard
from twinplane.services.tls import TlsFiles
from twinplane.services.usage import Usage
from twinplane.session.registry import Sessions
from twinplane.state.collect import Collector, Feed
from twinplane.state.operational import Operational
from twinplane.state.section import Section
from twinplane.state.translate.library import library
from twinplane.state.translate.registry import Unit
from twinplane.subscribe.atomic import marked
from twinplane.subscribe.live import Limits as StreamLimits
from twinplane.subscribe.stream import Subscriber
from twinplane.transaction.collaborator import Precheck
from twinplane.transaction.datastore import Datastore
from twinplane.transaction.execute import Executor
from twinplane.transaction.history import History
from twinplane.transaction.standing import Parts
from twinplane.transaction.transactor import Transactor
from twinplane.tree.node import Leaf
from twinplane_wire.path import Path, parse

REPOSITORY = File(__file__).parents[2]
FIXTURES = REPOSITORY / "tests/fixtures/yang"
NO_LIMIT = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
USERS = ("admin", "operator", "reader")


@functools.cache
def schemas() -> Schemas:
    """Product and fixture under openconfig, the fixture alone under `fixture`; compiled once a process."""
    folder = tempfile.mkdtemp(prefix="tpy")
    atexit.register(shutil.rmtree, folder)  # the texts of the modules are served
    names: list[str] = []
    for directory in (REPOSITORY / "yang", FIXTURES):
        for file in directory.glob("*.yang"):
            shutil.copy(file, folder)
        listed = (directory / "modules.toml").read_text().partition("[\n")[2].partition("]")[0]
        names += [line.strip() for line in listed.splitlines() if line.strip()]
    text = "\n".join(names)
    listed = f'[origins]\nopenconfig = [\n{text}\n]\nietf = ["ietf-yang-library"]\n'
    (File(folder) / "modules.toml").write_text(listed)
    compiled = load_schema(File(folder), None, FIXTURES)
    validator.load(compiled)
    return compiled


class _Loaded:
    """libyang, loaded while the modules lie where it looks for them."""

    def __init__(self) -> None:
        self.validator: Validator | None = None

    def load(self, compiled: Schemas) -> None:
        self.validator = Validator(compiled)

    def __call__(self) -> Validator:
        schemas()
        assert self.validator is not None
        return self.validator


validator = _Loaded()


class Target:
    """One target. Entering starts it, leaving stops it; the folder keeps what a later one finds again.

    `folder` holds `tls/` and `users.toml` (see conftest.py). `host`: None makes a fresh one.
    """

    def __init__(
        self,
        folder: File,
        *,
        host: Host | None = None,
        limits: Limits | None = None,
        streaming: StreamLimits | None = None,
        union_leaf_lists: bool = True,
        require_arbitration: bool = False,
        prechecks: tuple[Precheck, ...] = (),
    ) -> None:
        self.folder = folder
        self.limits = limits or Limits()
        self.schemas = schemas()
        if host is None:
            host = Host()
            furnish(host)
        self.host = host
        self.drivers = FakeDrivers(host)
        self.users = Directory(folder / "users.toml")
        self.clock = Clock()
        self.operational = Operational(
            self.clock, partial(completed, self.schemas), standing=standing(self.schemas)
        )
        self.operational.fixed(library(self.schemas))
        self._sections: dict[Path, dict[str, Leaf]] = {}
        self._require_arbitration = require_arbitration
        self.model = Configuration(
            self.schemas,
            validator(),
            INSTANCE,
            CAPABILITIES,
            STATE_DIR,
            rules.Host(self.operational.link, self.operational.port_type),
            union_leaf_lists,
        )
        self.sessions = Sessions(self.clock, lambda *later: asyncio.get_running_loop().call_later(*later))
        self.store = Datastore(folder / "twinplane.db", ObjectCodec(self.schemas))
        self.occurrences = Occurrences(self.operational, self.store)
        self.operational.follow(self.occurrences.saw)
        self.transactor = Transactor(
            Parts(
                store=self.store,
                executor=Executor(self.drivers.all),
                model=self.model,
                planner=plan,
                publisher=self.operational,
                clock=self.clock,
                read_foreign=self.drivers.read_foreign,
                sweep=self.drivers.sweep,
                prechecks=prechecks,
                modules=self.schemas.digest,
                final_pauses=(0.0, 0.0),
                repair_pauses=(0.05,),
                gate=self.sessions.gate,
                occasions=self.occurrences,
            )
        )
        self.subscriber = Subscriber(
            self.operational, LeafEncoder(self.schemas), streaming, marked(self.schemas)
        )
        self.addresses: tuple[str, ...] = ()
        self._stack = AsyncExitStack()
        self.source: HostSource

    async def __aenter__(self) -> Self:
        wired = Wired(self.schemas, self.operational, self.transactor)
        history = History(self.store, ObjectCodec(self.schemas).decode)
        past = Past(self.schemas, history, lambda: self.transactor.running, standing(self.schemas))
        service = gnmi(
            wired, self.subscriber, self.limits, past, require_arbitration=self._require_arbitration
        )
        usage = Usage(self.limits.streams_per_user, self.limits.requests_per_second)
        self.sessions.ended = orphaned(self.transactor)
        self.users.gone = self.sessions.expel
        suspicions = Suspicions(pause=0.01)
        self.operational.suspect(suspicions.heard)
        configuring = config(
            ConfigTarget(
                self.schemas,
                self.operational,
                self.transactor,
                history,
                self.store,
                self.model,
                self.sessions,
            )
        )
        tls = self.folder / "tls"
        mutual = TlsFiles(tls / "server.pem", tls / "server.key", tls / "ca.pem")
        password = TlsFiles(tls / "server.pem", tls / "server.key", None)
        standard = Standard((NAME, CONFIG_NAME))
        server = Server(
            (
                *local_sockets(self.folder),
                TcpListener("127.0.0.1:0", mutual),
                TcpListener("127.0.0.1:0", password),
            ),
            lambda gate: tuple(
                one.behind(Door(gate, self.users, self.limits, usage))
                for one in (service, configuring, standard)
            ),
            standard,
            self.limits,
        )
        self.source = HostSource(self.host, CAPABILITIES)
        feed = Feed("host", self.source.batches, self.source.poll)
        collector = Collector(self.operational, (feed,), self.clock)
        await self.transactor.start()
        tasks = [
            asyncio.ensure_future(work())
            for work in (
                collector.run,
                self.transactor.serve,
                self.occurrences.serve,
                partial(suspicions.serve, self.transactor),
            )
        ]
        try:
            await collector.first_facts(10)
            await self.transactor.repair()  # its turn comes after recovery's
            self.occurrences.begin()
            self.addresses = await server.start()
            await server.set_serving(True)
        except BaseException:
            await _end(server, self.transactor, tasks)
            raise
        self._stack.push_async_callback(_end, server, self.transactor, tasks)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def client(self) -> Client:
        """Over the administrator's socket."""
        return Client(self._open(grpc.aio.insecure_channel(self.addresses[0], NO_LIMIT)))

    def reader(self) -> Client:
        """Over the readers' socket."""
        return Client(self._open(grpc.aio.insecure_channel(self.addresses[1], NO_LIMIT)))

    def mutual(self, user: str | None = "admin", metadata: Metadata = ()) -> Client:
        """Over TLS with the client certificate `tls/<user>.pem` (None: without one)."""
        return Client(self.tls(self.addresses[2], user), metadata)

    def password(self, name: str = "admin", password: str | None = None) -> Client:
        """Over TLS without a client certificate, with a name and a password (by default the right one)."""
        secret = f"{name}-secret" if password is None else password
        return Client(self.tls(self.addresses[3]), (("username", name), ("password", secret)))

    def tls(self, address: str, user: str | None = None) -> grpc.aio.Channel:
        """A channel that trusts our authority, with or without a client certificate."""
        tls = self.folder / "tls"
        files = (tls / f"{user}.key", tls / f"{user}.pem") if user else ()
        pair = [file.read_bytes() for file in files]
        credentials = grpc.ssl_channel_credentials((tls / "ca.pem").read_bytes(), *pair)
        # A subchannel pool of its own: certificates must not be shared with other channels to this address.
        options = (*NO_LIMIT, ("grpc.use_local_subchannel_pool", 1))
        return self._open(grpc.aio.secure_channel(address, credentials, options))

    def report(self, container: str, leaves: Mapping[str, Leaf]) -> None:
        """Give the state leaves of a container new values, as a source would, in one pass; what was reported
        before and is not named now stays. An empty mapping takes them all away."""
        self.report_all({container: leaves})

    def report_all(self, changes: Mapping[str, Mapping[str, Leaf]]) -> None:
        """Several containers in one pass."""
        units: list[Unit] = []
        for container, leaves in changes.items():
            where = parse(container)
            known = self._sections.get(where, {})
            self._sections[where] = {**known, **leaves} if leaves else {}
            units.append(Unit(self._translate, where))
        # What a translator of the product would be called by; the fixture has none.
        self.operational._run((), units, None)

    def _translate(self, _known: object, where: Path) -> Sequence[Section]:
        leaves = self._sections[where]
        return (Section(where, dict(leaves)),) if leaves else ()

    def _open(self, channel: grpc.aio.Channel) -> grpc.aio.Channel:
        self._stack.push_async_callback(channel.close)
        return channel


async def _end(server: Server, transactor: Transactor, tasks: Sequence[asyncio.Future[None]]) -> None:
    await server.stop(0.0)
    await transactor.close(3.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
