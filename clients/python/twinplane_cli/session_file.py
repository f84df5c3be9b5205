"""Where the secret of a session stays between commands: a file for each box and user, for its owner alone."""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from twinplane_cli.errors import CommandError
from twinplane_client import Target


@dataclass(frozen=True, slots=True)
class KeptSession:
    """What resumes a session."""

    number: int
    secret: str


@dataclass(frozen=True, slots=True)
class SessionFile:
    """The session of one user at one box."""

    path: Path

    @classmethod
    def of(cls, target: Target, environ: Mapping[str, str]) -> Self:
        """The file for a target: in ``$XDG_STATE_HOME/twinplane``, else ``~/.local/state/twinplane`` (as the
        XDG Base Directory Specification has it), named after address and user or certificate."""
        state = Path(environ.get("XDG_STATE_HOME", ""))
        if not state.is_absolute():
            state = Path("~/.local/state").expanduser()
        certificate = Path(target.certificate).absolute() if target.certificate is not None else ""
        who = f"{target.address}\n{target.username}\n{certificate}"
        return cls(state / "twinplane" / f"session-{hashlib.sha256(who.encode()).hexdigest()[:16]}.json")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other commands from using the session meanwhile."""
        folder = self.path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        lock = os.open(self.path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def read(self) -> KeptSession | None:
        """What is kept.

        Raises:
            CommandError: the file holds something else.
        """
        try:
            found = json.loads(self.path.read_text())
            return KeptSession(int(found["number"]), str(found["secret"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise CommandError(f"{self.path} holds no session", "delete it") from None

    def write(self, kept: KeptSession) -> None:
        """Keep this instead, all of it or nothing."""
        # Made with mode 0600.
        descriptor, name = tempfile.mkstemp(dir=self.path.parent)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(kept), file)
        Path(name).replace(self.path)

    def remove(self) -> None:
        """Keep nothing."""
        self.path.unlink(missing_ok=True)
