"""The agent as app.py composes it, over a back end without a host.

``python -m bench.product STATE_DIR [network]``. Only what cannot be here is exchanged: connections to kernel
and hypervisor, image files, the probe of the host. The writer's marks are noted, and what the services work
on is at hand.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bench.box import CAPABILITIES, NullBackEnd, open_null
from bench.process import obey
from bench.stages import Stages
from twinplane import app
from twinplane.model.host import Capabilities
from twinplane.services.gnmi.service import Gnmi, gnmi
from twinplane.services.gnmi.target import Target
from twinplane.settings import Agent, Limits, Listen, Settings
from twinplane.state_dir import StateDir
from twinplane.transaction.standing import Parts

STREAMS = 1000  # of one user, who plays a crowd


class Product:
    """A running agent and the parts that the bench looks into."""

    addresses: tuple[str, ...]
    back_end: NullBackEnd
    target: Target

    def __init__(self, *, network: bool) -> None:
        self.stages = Stages()
        self._network = network

    async def open_back_end(
        self, state: StateDir, _settings: Settings, _found: Capabilities, stack: AsyncExitStack
    ) -> NullBackEnd:
        self.back_end = await open_null(state, stack, network=self._network)
        return self.back_end

    def gnmi(self, target: Target, *parts: Any, **options: Any) -> Gnmi:
        self.target = target
        made = gnmi(target, *parts, **options)
        return replace(made, set=self.stages.around(made.set))  # type: ignore[arg-type]


@asynccontextmanager
async def composed(state_dir: Path, *, network: bool = False) -> AsyncIterator[Product]:
    """The agent, serving on its Unix sockets and a TLS port; with `network` it reports the kernel's."""
    made = Product(network=network)

    async def probe(*_: object) -> Capabilities:
        return CAPABILITIES

    async def unchecked(_: object) -> None:
        """Image files are not looked at: there are none."""

    exchanged = {
        "open_back_end": made.open_back_end,
        "probe": probe,
        "gnmi": made.gnmi,
        "Parts": partial(Parts, mark=made.stages.mark),
        "ImageCheck": lambda _: unchecked,
    }
    for name, part in exchanged.items():
        assert hasattr(app, name), name
        setattr(app, name, part)
    settings = Settings(
        agent=Agent(state_dir=state_dir),
        listen=Listen(addresses=("localhost:0",)),
        limits=Limits(streams=STREAMS, requests=1_000_000),
    )
    async with app.serving(settings) as agent:
        made.addresses = agent.addresses
        yield made


async def serve(state_dir: Path, *, network: bool) -> None:
    """Serve until the other side hangs up."""
    async with composed(state_dir, network=network) as made:

        async def stages(_: dict[str, Any]) -> Sequence[dict[str, float]]:
            found, made.stages.sets = made.stages.sets, []
            return found

        async def flip(command: dict[str, Any]) -> int:
            source = made.back_end.source
            for _ in range(command["times"]):
                source.events.put_nowait(source.flip())
                await asyncio.sleep(command["pause"])
            return command["times"]

        async def report(_: dict[str, Any]) -> int:
            source = made.back_end.source
            batch = source.everything()
            source.events.put_nowait(batch)
            return len(batch.facts)

        await obey(made.addresses, {"stages": stages, "flip": flip, "report": report})


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), network="network" in sys.argv[2:]))
