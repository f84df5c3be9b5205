"""What a listener asks of a client's certificate beyond what TLS does (RFC 5280 sections 4.2.1.9 and 6.1).

BoringSSL, which gRPC brings, leaves out the length of the path that a self-signed authority allows: who has
an intermediate below one with `pathlen:0` could name any user. It also takes an authority's certificate for
that of a client.
"""

import functools
from collections.abc import Iterable

from cryptography import x509

from twinplane.identity.certificates import is_issued

MOST_SENT = 10  # certificates of one client; a deeper path is nobody's
MOST_KEPT = 16  # authorities of a listener, those of the past included


class Trust:
    """The authorities of one listener. Those that were replaced go on counting, for connections that stand: a
    new one that is theirs does not pass its handshake. Without any everybody is refused."""

    def __init__(self) -> None:
        self._authorities: tuple[x509.Certificate, ...] = ()

    def follow(self, authorities_pem: bytes) -> None:
        """These are served from now on. Called from any thread. Raises ValueError where it is no PEM."""
        found = tuple(x509.load_pem_x509_certificates(authorities_pem))
        known = tuple(one for one in self._authorities if one not in found)
        # The newest of the past are kept, all of those now.
        self._authorities = (*found, *known[: max(0, MOST_KEPT - len(found))])

    def refusal(self, leaf_pem: bytes, sent_pem: tuple[bytes, ...] = ()) -> str:
        """Why a certificate cannot be a client's here, or nothing. `sent_pem` is what came with it, in any
        order, the certificate itself perhaps among them; both passed the handshake.

        Raises:
            ValueError: one of them cannot be read.
        """
        return _refusal(leaf_pem, sent_pem, self._authorities)


@functools.lru_cache(maxsize=256)
def _refusal(leaf_pem: bytes, sent_pem: tuple[bytes, ...], authorities: tuple[x509.Certificate, ...]) -> str:
    leaf = x509.load_pem_x509_certificate(leaf_pem)
    if _constraints(leaf).ca:
        return "the certificate is that of an authority, which names no user; use one with CA:FALSE"
    if authorities and all(_limit(one) is None for one in authorities):
        return ""  # nothing to add to the handshake
    sent = [one for pem in sent_pem for one in x509.load_pem_x509_certificates(pem)]
    if len(sent) > MOST_SENT:
        return f"{len(sent)} certificates came with that of the client, at most {MOST_SENT} are looked at"
    if not _is_within(leaf, [one for one in sent if one != leaf], authorities):
        return (
            "an intermediate issued the certificate, beyond the path length of the authority in ca.pem; use "
            "one that the authority itself issued"
        )
    return ""


def _is_within(
    leaf: x509.Certificate, sent: Iterable[x509.Certificate], authorities: Iterable[x509.Certificate]
) -> bool:
    """Whether a path leads from an authority to the leaf whose length all above it allow. Breadth first: each
    intermediate is met on its shortest path, which most is allowed for."""
    level, left, below = [leaf], list(sent), 0
    while level:
        reached = [one for one in authorities if _allows(one, below)]
        if any(one in reached or is_issued(one, reached) for one in level):
            return True
        able = [one for one in left if _may_issue(one) and _allows(one, below)]
        above = [one for one in able if any(is_issued(low, (one,)) for low in level)]
        left = [one for one in left if one not in above]
        level, below = above, below + 1
    return False


def _allows(authority: x509.Certificate, below: int) -> bool:
    """Whether so many intermediates may be between this authority and a leaf."""
    limit = _limit(authority)
    return limit is None or below <= limit


def _may_issue(certificate: x509.Certificate) -> bool:
    try:
        return _constraints(certificate).ca
    except ValueError:
        return False


def _limit(authority: x509.Certificate) -> int | None:
    try:
        return _constraints(authority).path_length
    except ValueError:
        return None  # something in it is odd that TLS does not mind


def _constraints(certificate: x509.Certificate) -> x509.BasicConstraints:
    """Those of the certificate; without any it is nobody's authority, unless it is trusted as it is.

    Raises:
        ValueError: its extensions cannot be read.
    """
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return x509.BasicConstraints(ca=False, path_length=None)
