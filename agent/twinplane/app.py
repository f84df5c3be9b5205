"""The composition root: builds each part once, hands them to each other, runs them until a signal.

Nothing else knows all rooms; nothing imports this but the command line.
"""

import asyncio
import gc
import importlib.resources
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from twinplane import clock_watch, guessing, last_time, remains
from twinplane.arrival import Arrivals
from twinplane.back_end import BackEnd, ImageCheck, open_back_end
from twinplane.capability.memory import KvmMemory
from twinplane.capability.report import Wanted, missing, probe
from twinplane.configuration import Configuration, completed, standing
from twinplane.copies import Copies
from twinplane.credentials import Credentials
from twinplane.drift import Suspicions
from twinplane.drivers.foreign import read_devices, read_foreign
from twinplane.errors import StartError
from twinplane.hints import print_hints
from twinplane.identity.directory import Directory
from twinplane.identity.user import ensure_users
from twinplane.last_change import LastChanges, boot_id
from twinplane.model.host import Accelerator, Capabilities
from twinplane.model.rules import Host
from twinplane.notify import notify
from twinplane.object_codec import ObjectCodec
from twinplane.occurrence import Occurrences
from twinplane.plan.plan import plan
from twinplane.rereading import Rereading
from twinplane.schema.compile import Schemas, load_schema
from twinplane.schema.validate import Validator
from twinplane.services.bounds import Bounds
from twinplane.services.config.commit import orphaned
from twinplane.services.config.service import NAME as CONFIG_NAME
from twinplane.services.config.service import config
from twinplane.services.config.target import Target as ConfigTarget
from twinplane.services.gnmi.leaf import LeafEncoder
from twinplane.services.gnmi.past import Past
from twinplane.services.gnmi.service import NAME, gnmi
from twinplane.services.gnmi.target import Target
from twinplane.services.permit import Permits
from twinplane.services.rpc import Door, Limits
from twinplane.services.server import Listener, Server, TcpListener, local_sockets
from twinplane.services.standard import Standard
from twinplane.services.tls import TlsFiles
from twinplane.services.usage import Usage
from twinplane.session.registry import Sessions
from twinplane.settings import MIB, AcceleratorSetting, LeafListUpdate, Settings, TlsMode
from twinplane.settings import Limits as SettingsLimits
from twinplane.state.collect import Collector
from twinplane.state.operational import Operational
from twinplane.state.raised import Raised
from twinplane.state.translate.library import library
from twinplane.state_dir import StateDir
from twinplane.subscribe.atomic import marked
from twinplane.subscribe.stream import Subscriber
from twinplane.transaction.datastore import Datastore
from twinplane.transaction.execute import Executor
from twinplane.transaction.guard import ManagementPath
from twinplane.transaction.history import History
from twinplane.transaction.standing import Parts
from twinplane.transaction.transactor import Transactor
from twinplane.tree.node import Container, Entries

log = logging.getLogger(__name__)

FIRST_FACTS = 10.0  # seconds until reads are served even without a source
RECOVERY = 120.0  # seconds until the host must have been surveyed
MILLISECOND = 1_000_000  # ns
GRACE = 3.0  # seconds for the transaction under way when the agent is told to stop


async def run(settings: Settings, *, hints: bool = False) -> None:
    """Serve until SIGTERM or SIGINT, which may also come before it serves. Raises StartError."""
    stop, hang_up = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    starting = asyncio.current_task()
    assert starting is not None

    def interrupt() -> None:
        if not stop.is_set():
            stop.set()
            starting.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, interrupt)
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)  # from now on: it would end a process that starts
    try:
        async with serving(settings) as agent:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
            notify("READY=1")
            log.info("serving gNMI on %s", ", ".join(agent.addresses))
            if hints and settings.listen.addresses:
                print_hints(agent.addresses[0], settings.agent.state_dir, settings.listen.mode, sys.stdout)
            async with asyncio.TaskGroup() as tasks:
                rereading = tasks.create_task(_reread(agent, hang_up), name="hang up")
                await stop.wait()
                rereading.cancel()
            notify("STOPPING=1")
            log.info("stopping; appliances go on running")
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        log.info("stopped before it served")


@dataclass(frozen=True, slots=True)
class Agent:
    """A running agent: where it listens, and the parts that somebody outside asks for."""

    addresses: tuple[str, ...]
    users: Directory
    transactor: Transactor
    reread: Rereading


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Agent]:
    """An agent that serves inside the block. Raises StartError before it."""
    async with AsyncExitStack() as stack:
        state = stack.enter_context(StateDir(settings.agent.state_dir))
        if not remains.is_held(state.database):
            await remains.require_unmarked(state.root, state.instance)
        ensure_users(state.root / "users.toml")
        credentials = Credentials(state.root, state.used, settings.listen.mode is TlsMode.MUTUAL)
        credentials.look()
        users = Directory(state.root / "users.toml")
        clock = last_time.resumed(state.root)
        schemas = schema(settings, state.folder("cache"))
        permits = Permits(schemas)
        permits.check(users.users)
        memory = KvmMemory(state.folder("cache"))
        found = await _host(settings, memory)
        back_end = await open_back_end(state, settings, found, stack)

        changed = LastChanges(state.folder("cache") / "last-change.json", boot_id())
        operational = Operational(
            clock, partial(completed, schemas), standing=standing(schemas), memory=changed
        )
        operational.fixed(library(schemas))
        codec = ObjectCodec(schemas)
        store = Datastore(
            state.database,
            codec,
            kept=settings.history.commits,
            instance=state.instance,
            expected=state.used,
        )
        occurrences = Occurrences(operational, store)
        operational.follow(occurrences.saw)
        model = Configuration(
            schemas,
            Validator(schemas),
            state.instance,
            found,
            state.root,
            Host(operational.link, operational.port_type),
            union_leaf_lists=settings.gnmi.leaf_list_update is LeafListUpdate.MERGE,
        )
        later = asyncio.get_running_loop().call_later
        sessions = Sessions(clock, later, last=clock.now_ns() // MILLISECOND)
        transactor = Transactor(
            Parts(
                store=store,
                executor=Executor(back_end.drivers()),
                model=model,
                planner=plan,
                publisher=operational,
                clock=clock,
                read_foreign=partial(read_foreign, back_end.netlink),
                read_devices=partial(read_devices, back_end.netlink),
                sweep=back_end.sweep,
                modules=schemas.digest,
                prechecks=(ImageCheck(settings.agent.image_dir),),
                gate=sessions.gate,
                occasions=occurrences,
                guards=(ManagementPath(back_end.netlink.towards),),
            )
        )
        gc.disable()  # until all there is has been read: next to nothing of it is garbage
        stack.callback(gc.enable)
        operational.gather()
        running = await transactor.start()
        state.settle()
        suspicions = Suspicions()
        operational.suspect(suspicions.heard)
        arrivals = Arrivals(operational.waits_for)
        collector = Collector(operational, [arrivals.watch(feed) for feed in back_end.feeds(found)], clock)
        copies = Copies(
            state.database,
            settings.copies,
            lambda: transactor.running.revision,
            Raised(operational.observed),
        )
        limits = _limits(settings.limits)
        usage = Usage(limits.streams_per_user, limits.requests_per_second)
        subscriber = Subscriber(operational, LeafEncoder(schemas), marks=marked(schemas))
        history = History(store, codec.decode)
        service = gnmi(
            Target(schemas, operational, transactor),
            subscriber,
            limits,
            Past(schemas, history, lambda: transactor.running, standing(schemas)),
            require_arbitration=settings.gnmi.require_arbitration,
        )
        sessions.ended = orphaned(transactor)
        users.gone = sessions.expel
        configuring = config(ConfigTarget(schemas, operational, transactor, history, store, model, sessions))
        standard = Standard((NAME, CONFIG_NAME))
        server = Server(
            _listeners(settings, state),
            lambda gate: tuple(
                one.behind(Door(gate, users, limits, usage)) for one in (service, configuring, standard)
            ),
            standard,
            limits,
        )
        reread = Rereading(users, permits.check, Raised(operational.observed))
        stack.enter_context(_refusal_alone())
        async with asyncio.TaskGroup() as tasks:
            background = (
                tasks.create_task(collector.run(), name="collector"),
                tasks.create_task(changed.serve(), name="last change"),
                tasks.create_task(transactor.serve(), name="writer"),
                tasks.create_task(occurrences.serve(), name="events"),
                tasks.create_task(arrivals.serve(transactor), name="arrivals"),
                tasks.create_task(suspicions.serve(transactor), name="drift"),
                tasks.create_task(_report(transactor, _counted(running.root), back_end), name="report"),
                tasks.create_task(memory.verify(_capability_alarm(operational)), name="probe of KVM"),
                tasks.create_task(copies.serve(), name="copies"),
                tasks.create_task(credentials.serve(Raised(operational.observed)), name="certificates"),
                tasks.create_task(guessing.serve(users, Raised(operational.observed)), name="guessing"),
                tasks.create_task(clock_watch.serve(clock, Raised(operational.observed)), name="clock"),
                tasks.create_task(last_time.keep(state.root, clock), name="last time"),
                tasks.create_task(back_end.watch(Raised(operational.observed)), name="privilege"),
            )
            try:
                silent = await collector.first_facts(FIRST_FACTS)
                if silent:
                    log.warning("no facts yet from %s", ", ".join(silent))
                await _surveyed(transactor)
                operational.settle()
                occurrences.begin()
                _settle_memory()
                addresses = await server.start()
                await server.set_serving(True)
                yield Agent(addresses, users, transactor, reread)
            finally:
                ending = asyncio.ensure_future(server.stop(GRACE))
                await transactor.close(GRACE)
                await ending
                for task in background:
                    task.cancel()


def _limits(wanted: SettingsLimits) -> Limits:
    return Limits(
        streams_per_user=wanted.streams,
        requests_per_second=wanted.requests,
        write_bytes=wanted.write_bytes,
        request_bytes=wanted.request_bytes,
        connections=wanted.connections,
        bounds=Bounds(wanted.operations, wanted.paths, wanted.members),
    )


def schema(settings: Settings, cache: Path | None) -> Schemas:
    """The compiled models: from the setting, else those of the package, else those of the checkout."""
    packaged = Path(str(importlib.resources.files("twinplane"))) / "_yang"
    checkout = Path(__file__).parents[2] / "yang"
    folder = settings.agent.yang_dir or (packaged if packaged.is_dir() else checkout)
    return load_schema(folder, cache)


def wanted(settings: Settings) -> Wanted:
    """What the settings ask of the host."""
    chosen = settings.hypervisor.accelerator
    return Wanted(
        None if chosen is AcceleratorSetting.AUTO else Accelerator(chosen.value),
        settings.reserve.cpu,
        settings.reserve.memory * MIB,
    )


@contextmanager
def _refusal_alone() -> Iterator[None]:
    """A StartError leaves a task group as what it is, not as a group."""
    try:
        yield
    except BaseExceptionGroup as group:
        refusals, others = group.split(StartError)
        if refusals is None or others is not None:
            raise
        raise StartError("; ".join(str(refusal) for refusal in refusals.exceptions)) from None


async def _surveyed(transactor: Transactor) -> None:
    try:
        async with asyncio.timeout(RECOVERY):
            await transactor.surveyed.wait()
    except TimeoutError as error:
        why = f"the host could not be read within {RECOVERY:.0f} s"
        raise StartError(f"{why}; the log says what does not answer") from error


async def _report(transactor: Transactor, held: str, back_end: BackEnd) -> None:
    await transactor.recovered.wait()
    log.info("adopted %s: %s", held, back_end.written)


def _settle_memory() -> None:
    """Trees and schema live as long as the agent: keep the collector from walking them, now and later."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


def _capability_alarm(operational: Operational) -> Callable[[str], None]:
    return partial(Raised(operational.observed).set, "capability kvm", "CAPABILITY_CHANGED", "WARNING")


async def _host(settings: Settings, memory: KvmMemory) -> Capabilities:
    asked = wanted(settings)
    found = await probe(asked, memory)
    lacking = missing(found, asked)
    if lacking:
        raise StartError("; ".join(f"{feature.name}: {feature.reason}" for feature in lacking))
    return found


async def _reread(agent: Agent, hang_up: asyncio.Event) -> None:
    while await hang_up.wait():
        hang_up.clear()
        await agent.reread()


def _listeners(settings: Settings, state: StateDir) -> tuple[Listener, ...]:
    tls = state.folder("tls")
    authorities = tls / "ca.pem" if settings.listen.mode is TlsMode.MUTUAL else None
    files = TlsFiles(tls / "server.pem", tls / "server.key", authorities)
    tcp = tuple(TcpListener(address, files) for address in settings.listen.addresses)
    return (*tcp, *local_sockets(state.folder("run")))


def _counted(root: Container) -> str:
    held = root.get("appliances")
    entries = held.get("appliance") if isinstance(held, Container) else None
    count = len(entries.entries) if isinstance(entries, Entries) else 0
    return f"{count} appliance{'' if count == 1 else 's'}"
