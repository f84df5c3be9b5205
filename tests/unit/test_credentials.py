"""What the hourly look does while something else is not in order."""

import asyncio
import time
from pathlib import Path

import pytest

from twinplane import last_time
from twinplane.credentials import Credentials
from twinplane.errors import StartError
from twinplane.identity.user import ensure_users
from twinplane.state.facts import AlarmFact
from twinplane.state.raised import Raised

YEAR = 365 * 86400 * last_time.SECOND


@pytest.fixture
def credentials(tmp_path: Path) -> Credentials:
    ensure_users(tmp_path / "users.toml")
    found = Credentials(tmp_path, used=False, mutual=True)
    found.look()
    return found


def noted(credentials: Credentials) -> list[AlarmFact]:
    """The alarms of the next look."""
    seen: list[AlarmFact] = []

    async def body() -> None:
        serving = asyncio.create_task(credentials.serve(Raised(seen.extend)))  # type: ignore[arg-type]
        await asyncio.sleep(0)  # up to its first pause
        serving.cancel()

    credentials.look()
    asyncio.run(body())
    return seen


def test_certificates_are_looked_after_while_users_cannot_be_read(credentials: Credentials) -> None:
    users, server = credentials.root / "users.toml", credentials.root / "tls/server.pem"
    users.write_text("garbage")
    server.unlink()
    (alarm,) = noted(credentials)
    assert server.exists()
    assert alarm.kind == "USERS"
    assert "will not start again" in alarm.text
    users.write_text("# nobody\n")
    assert noted(credentials) == []


def test_an_accepted_clock_is_right_for_certificates_at_once(credentials: Credentials) -> None:
    now = time.time_ns()
    last_time.write(credentials.root, now + 3 * YEAR)
    assert [alarm.kind for alarm in noted(credentials)] == ["CLOCK"]
    last_time.accept(credentials.root, now, stored=0)
    assert noted(credentials) == []


def test_keys_of_somebody_else_are_not_taken_for_ours(credentials: Credentials) -> None:
    (credentials.root / "tls/server.key").write_text("garbage")
    with pytest.raises(StartError, match="not a private key"):
        credentials.look()
