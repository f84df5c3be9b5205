"""A program of a user passes mypy --strict with what the package exports."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
from collections.abc import Iterator

from twinplane_client import AsyncClient, Client, PathLike, StreamItem, Sync, Target, Update, Value
from twinplane_client import parse_path

target = Target("localhost:9339", ca="ca.pem")


def write(client: Client, value: Value, texts: dict[str, int]) -> int:
    by_text = {"/a": value}
    by_path = {parse_path("/a"): 1}
    either: dict[PathLike, Value] = {"/a": 1, parse_path("/b"): None}
    client.set(replace=by_text, update=texts)
    client.set(replace=by_path, update=either)
    return client.set(update={"/b": 1, "/c": {"x": [1, None]}}, delete=["/d", parse_path("/e")]).timestamp


def values(items: Iterator[StreamItem]) -> Iterator[Update]:
    for item in items:
        if not isinstance(item, Sync):
            yield from item.updates


async def first(path: PathLike) -> StreamItem | None:
    async with AsyncClient(target) as client:
        await client.set(replace={"/a": True})
        async for item in client.subscribe(path, mode="once"):
            return item
    return None
"""


def test_a_small_program_is_strictly_typed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "Success: no issues found in 1 source file\n", done.stdout + done.stderr
