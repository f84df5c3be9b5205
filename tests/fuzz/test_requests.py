"""Anything at all, sent to the four RPCs. `TWINPLANE_FUZZ` says how many calls; `make fuzz` says many."""

import os
import random

import grpc
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fuzz.attack import METHODS, Attack, Call
from fuzz.requests import calls, mutated, seeds

CALLS = int(os.environ.get("TWINPLANE_FUZZ", "2000"))
TOGETHER = 20  # calls in one example: hypothesis draws faster than it starts examples
SEED = int(os.environ.get("TWINPLANE_FUZZ_SEED", "0"))


def told(attack: Attack, at_least: int) -> None:
    """Print what became of the calls; they were as many as promised, and some of each method were served."""
    for (method, code), count in sorted(attack.outcomes.items()):
        print(f"{method:13} {code:20} {count}")
    assert attack.outcomes.total() >= at_least


@pytest.mark.timeout(0)
def test_drawn_messages(attack: Attack) -> None:
    """Messages of the right types with any fields."""

    @settings(
        max_examples=max(1, CALLS // 4 // (TOGETHER // 2)),
        deadline=None,
        database=None,
        derandomize=SEED == 0,
        phases=(Phase.generate,),  # what failed names the call; making it smaller takes long
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn=st.lists(calls(), min_size=TOGETHER // 2, max_size=TOGETHER))
    def body(drawn: list[Call]) -> None:
        attack.run(attack.all(drawn))

    body()
    told(attack, CALLS // 4)
    for method in METHODS:
        made = sum(count for (name, _), count in attack.outcomes.items() if name == method)
        assert attack.outcomes[method, grpc.StatusCode.OK.name] > made // 20, f"{method} is hardly served"


@pytest.mark.timeout(0)
def test_mutated_messages(attack: Attack) -> None:
    """The bytes of good requests, bent."""
    chance = random.Random(SEED)
    known = seeds()
    attack.run(attack.all(known))
    assert {method for method, code in attack.outcomes if code == "OK"} == set(METHODS)
    for _ in range(CALLS // 2 // 100 + 1):
        attack.run(attack.all([mutated(chance, known) for _ in range(100)]))
    told(attack, CALLS // 2)
    for method in ("Get", "Set", "Subscribe"):
        assert attack.outcomes[method, "INVALID_ARGUMENT"], method


@pytest.mark.timeout(0)
def test_bytes(attack: Attack) -> None:
    """No requests at all."""
    chance = random.Random(SEED)
    for _ in range(CALLS // 4 // 100 + 1):
        drawn = [
            Call(
                chance.choice(METHODS),
                tuple(chance.randbytes(chance.choice((0, 1, 3, 17, 300))) for _ in range(2)),
            )
            for _ in range(100)
        ]
        attack.run(attack.all(drawn))
    told(attack, CALLS // 4)
    assert attack.outcomes["Get", "INVALID_ARGUMENT"]
