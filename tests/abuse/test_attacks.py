"""A sample of the attacks: each has the answer that it has to have. What others notice is measured by
`make abuse`."""

import grpc
import pytest

from abuse.attacks import READER, Attack, attacks
from service.configuring import Box, run

SAMPLE = (
    "Validate, 1,000,000 unknown members",
    "Validate, 100,000 arrays in one another",
    "Validate, a number of a million digits",
    "Set, 200,000 wrong updates",
    "Set, 100,000 keys in one element",
    "Get, 100,000 paths",
    "Edit, 100,000 operations",
)
CHOSEN = [one for one in attacks() if one.name in SAMPLE]


def test_the_sample_is_there() -> None:
    assert sorted(one.name for one in CHOSEN) == sorted(SAMPLE)


@pytest.mark.parametrize("attack", CHOSEN, ids=lambda one: one.name)
def test_the_answer_is_right(attack: Attack) -> None:
    async def scenario(box: Box) -> None:
        channel = box.target.reader().channel if attack.by == READER else box.gnmi.channel
        try:
            await channel.unary_unary(attack.method)(attack.request(), timeout=60)
            code = "OK"
        except grpc.aio.AioRpcError as error:
            code = error.code().name
        assert code in attack.codes

    run(scenario)
