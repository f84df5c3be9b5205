"""Passwords at rest: scrypt (RFC 7914) in a text form that carries its own parameters."""

import base64
import binascii
import hashlib
import hmac
import os

# 16 MiB and some 50 ms on a small host: dear for who guesses, bearable for who logs in.
COST, BLOCK, LANES = 1 << 14, 8, 1
MAX_MEMORY = 64 << 20


class PasswordHashError(ValueError):
    """A stored hash that cannot be read. The message never contains it."""


def hash_password(password: str) -> str:
    """A new salted hash: ``scrypt$n$r$p$salt$digest``. Blocks for some 50 ms."""
    salt = os.urandom(16)
    digest = _digest(password, salt, COST, BLOCK, LANES)
    return f"scrypt${COST}${BLOCK}${LANES}${_text(salt)}${_text(digest)}"


def matches(password: str, stored: str) -> bool:
    """Compare in constant time. Blocks for some 50 ms.

    Raises:
        PasswordHashError: `stored` is not of the form that `hash_password` gives.
    """
    cost, block, lanes, salt, digest = _fields(stored)
    return hmac.compare_digest(_digest(password, salt, cost, block, lanes), digest)


def check_form(stored: str) -> None:
    """Refuse what `matches` could not read.

    Raises:
        PasswordHashError: always in that case.
    """
    _fields(stored)


def _fields(stored: str) -> tuple[int, int, int, bytes, bytes]:
    try:
        name, cost, block, lanes, salt, digest = stored.split("$")
        numbers = int(cost), int(block), int(lanes)
        content = base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True)
    except (ValueError, binascii.Error) as error:
        raise PasswordHashError("not of the form scrypt$n$r$p$salt$digest") from error
    n, r, p = numbers
    power_of_two = n > 1 and n & (n - 1) == 0
    # RFC 7914 section 6: N is less than 2^(128 * r / 8).
    possible = power_of_two and r >= 1 and p >= 1 and n < 1 << min(16 * r, 64)
    if name != "scrypt" or not possible or 128 * n * r * p > MAX_MEMORY // 2:
        raise PasswordHashError("scrypt parameters out of range")
    if len(content[1]) < 16:
        raise PasswordHashError("digest too short")
    return *numbers, *content


def _digest(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=lanes, maxmem=MAX_MEMORY, dklen=32)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
