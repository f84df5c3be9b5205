"""`python -m tests.capture [STORY...]`: root, after `make images`. Each story in a process of its own, for a
process can open one embedded hypervisor."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

CASES = Path(__file__).parents[1] / "cases/state"
IMAGES = Path(__file__).parents[2] / "build/images"
# Names of devices and guests follow from it: the same in each capture.
INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")


async def record(name: str, state_dir: Path) -> None:
    """Run one story on an agent in this process and write what its sources reported."""
    from capture.recorder import KEPT, Recorder, capture
    from capture.stories import STORIES
    from twinplane.app import serving
    from twinplane.settings import AcceleratorSetting, Agent, Hypervisor, Listen, Settings
    from twinplane_client import Client, Target

    settings = Settings(
        agent=Agent(state_dir=state_dir, image_dir=IMAGES.resolve()),
        listen=Listen(addresses=()),
        hypervisor=Hypervisor(accelerator=AcceleratorSetting.TCG),
    )
    with patch("twinplane.app.Operational", Recorder), patch("twinplane.state_dir.uuid4", lambda: INSTANCE):
        async with serving(settings):
            with Client(Target(f"unix:{state_dir}/run/admin.sock")) as client:
                try:
                    later = await STORIES[name](client, IMAGES)
                    files = capture(KEPT)
                    await asyncio.to_thread(client.set, delete=later.delete, replace=later.replace)
                    (running,) = await asyncio.to_thread(client.get, "/", kind="config")
                finally:  # no guest outlives a story that went wrong
                    everything = ("/appliances", "/virtual-switches", "/images")
                    await asyncio.to_thread(client.set, delete=everything)
    folder = CASES / name
    (folder / "capture").mkdir(parents=True, exist_ok=True)
    for old in (folder / "capture").iterdir():
        old.unlink()
    configured = {key: value for key, value in running.updates[0].value.items() if value}
    (folder / "running.json").write_text(json.dumps(configured, indent=1) + "\n")
    for file, facts in files.items():
        lines = ",\n".join(f"  {json.dumps(fact)}" for fact in facts)
        (folder / "capture" / f"{file}.json").write_text(f"[\n{lines}\n]\n")


def main() -> None:
    """One story here, where it is named with --here; else each of them in a network namespace of its own."""
    from capture.stories import STORIES

    names = [name for name in sys.argv[1:] if name != "--here"] or sorted(STORIES)
    if "--here" in sys.argv:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        with tempfile.TemporaryDirectory(prefix="tpc", dir="/var/tmp") as scratch:
            Path(scratch).chmod(0o711)  # guests run as a user of their own
            asyncio.run(record(names[0], Path(scratch) / "s"))
        return
    for name in names:
        command = ["unshare", "--net", sys.executable, "-m", "tests.capture", "--here", name]
        subprocess.run(command, check=True, env={**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "0"})
        print(f"captured {name}; `make golden` writes what it becomes")


if __name__ == "__main__":
    main()
