"""Runs the rows one after the other, each in a process of its own, and shows what they measured."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench import report
from bench.report import Measurement

REPOSITORY = Path(__file__).parents[2]
ROWS = (
    "get", "tree", "set", "commit", "history", "subscribe", "many", "crowd", "start", "link", "sampling",
    "guest",
)  # fmt: skip
GRACE = 30
LIMIT = 600  # seconds for one row


def main(names: tuple[str, ...]) -> int:
    """Run the named rows (all without a name); the number of rows that could not be measured."""
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        print(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    start = time.monotonic()
    found: list[Measurement] = []
    broken = 0
    print(report.HEADING, flush=True)
    for name in names or ROWS:
        measured, error = run(name)
        found += measured
        for measurement in measured:
            print(report.show(measurement), flush=True)
        if error:
            broken += 1
            print(f"{name}: not measured\n{error}", file=sys.stderr, flush=True)
    file = REPOSITORY / "build/bench.json"
    report.write(file, found)
    print(f"{len(found)} rows in {time.monotonic() - start:.0f} s, written to {file.relative_to(REPOSITORY)}")
    return broken


def run(name: str) -> tuple[tuple[Measurement, ...], str]:
    """What one row measured, and why it could not go on ("" where it could)."""
    row = subprocess.Popen(
        [sys.executable, "-m", f"bench.rows.{name}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        out, err = row.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        row.send_signal(signal.SIGINT)  # so that it ends what it has started
        try:
            out, err = row.communicate(timeout=GRACE)
        except subprocess.TimeoutExpired:
            row.kill()
            out, err = row.communicate()
        err += f"\nnothing after {LIMIT} s"
    return report.read(out.splitlines()), "" if row.returncode == 0 else err.strip()


def environment() -> dict[str, str]:
    """That of every process of the bench: the checkout's packages, and forks as the agent has them."""
    folders = ("tests", "agent", "proto", "clients/python")
    path = os.pathsep.join(str(REPOSITORY / folder) for folder in folders)
    return {**os.environ, "PYTHONPATH": path, "GRPC_ENABLE_FORK_SUPPORT": "0"}


if __name__ == "__main__":
    sys.exit(main(tuple(sys.argv[1:])))
