"""Golden cases: folders of running.json, candidate.json and the plan between them.

With TWINPLANE_GOLDEN=1 in the environment the plans are written anew; the difference is reviewed like code.
"""

import json
import os
from pathlib import Path as File

import pytest

from twinplane.plan.plan import plan
from twinplane.plan.resource import ForeignValue
from twinplane.plan.text import text
from twinplane_wire.path import ROOT
from unit.plan.boxes import CASES, realised

# What the host's ports had before anybody took them.
OWN = {"address-generation": 0, "up": 1, "mtu": 1500}
FOREIGN = {
    (device, name): ForeignValue(device, name, value, ROOT)
    for device in ("demo-c", "p1", "p2", "eth7")
    for name, value in OWN.items()
}


@pytest.mark.parametrize("case", sorted((CASES / "plan").iterdir()), ids=lambda case: case.name)
def test_plan(case: File) -> None:
    running = realised(json.loads((case / "running.json").read_bytes()))
    candidate = realised(json.loads((case / "candidate.json").read_bytes()))
    printed = text(plan(running, candidate, FOREIGN))
    golden = case / "plan.txt"
    if os.environ.get("TWINPLANE_GOLDEN"):
        golden.write_text(printed)
    assert printed == golden.read_text()
