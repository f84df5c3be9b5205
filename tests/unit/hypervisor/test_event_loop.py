"""libvirt's event loop and the end of the process."""

import subprocess
import sys

# Handlers at exit run in the reverse order of their registration: this one runs last.
SCRIPT = """
import atexit, threading
atexit.register(lambda: print([thread.name for thread in threading.enumerate()]))
from twinplane.hypervisor.events import run_event_loop
assert run_event_loop().is_alive()
assert run_event_loop() is run_event_loop()
"""


def test_no_callback_comes_after_the_interpreter_is_gone() -> None:
    """A callback then is a segmentation fault: the thread has to have ended before."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "['MainThread']\n"
