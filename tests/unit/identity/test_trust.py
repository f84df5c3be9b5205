"""The path length of an authority holds, though the TLS library does not see to it."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from doubles.certificate import certified
from twinplane.identity.issue import Pair
from twinplane.identity.trust import MOST_KEPT, MOST_SENT, Trust


def trusting(*authorities: Pair) -> Trust:
    trust = Trust()
    trust.follow(b"".join(one.certificate_pem for one in authorities))
    return trust


def refusal(trust: Trust, leaf: Pair, *sent: Pair) -> str:
    return trust.refusal(leaf.certificate_pem, tuple(one.certificate_pem for one in sent))


def chain(root: Pair, *lengths: int | None) -> list[Pair]:
    """A leaf and the intermediates above it, the one that the root issued last."""
    above = [root]
    for number, length in enumerate(lengths):
        above.append(certified(above[-1], f"intermediate {number}", ca=True, length=length))
    return [certified(above[-1], "ann"), *reversed(above[1:])]


@pytest.mark.parametrize(
    ("root", "lengths", "accepted"),
    [
        (0, (), True),
        (0, (None,), False),
        (0, (0,), False),
        (1, (0,), True),
        (1, (None, None), False),
        (2, (None, None), True),
        (2, (0, None), False),
        (None, (None, None, None), True),
    ],
)
def test_a_path_is_as_long_as_its_authorities_allow(
    root: int | None, lengths: tuple[int | None, ...], accepted: bool
) -> None:
    authority = certified(None, "authority", ca=True, length=root)
    leaf, *sent = chain(authority, *lengths)
    # Another one that limits: without it there is nothing to add to what BoringSSL judged.
    trust = trusting(authority, certified(None, "other", ca=True, length=0))
    for order in (sent, [*reversed(sent)], [leaf, *sent, authority]):
        found = refusal(trust, leaf, *order)
        assert (found == "") is accepted, found
        assert accepted or "path length" in found
    if lengths:
        assert refusal(trusting(authority, sent[0]), leaf) == "", "ca.pem may hold the intermediate"


def test_the_shortest_path_counts() -> None:
    root = certified(None, "authority", ca=True, length=1)
    low = certified(root, "low", ca=True)
    leaf = certified(low, "ann")
    others = [certified(root, "low", ca=True) for _ in range(MOST_SENT - 1)]
    assert refusal(trusting(root), leaf, *others, low) == ""
    assert "at most" in refusal(trusting(root), leaf, *others, low, certified(root, "more", ca=True))


def test_who_is_not_an_authority_is_not_a_way_to_one() -> None:
    root = certified(None, "authority", ca=True, length=1)
    client = certified(root, "bob")
    assert "path length" in refusal(trusting(root), certified(client, "ann"), client)


def test_an_authority_is_not_a_client_and_nobody_is_let_in_without_one() -> None:
    root = certified(None, "authority", ca=True)
    ann = certified(root, "ann", ca=True)
    assert "CA:FALSE" in refusal(trusting(root), ann)
    assert "CA:FALSE" in refusal(trusting(ann), ann)
    pinned = certified(None, "ann")
    assert refusal(trusting(pinned), pinned) == ""
    assert refusal(Trust(), pinned) != ""
    with pytest.raises(ValueError):
        Trust().follow(b"no certificate")


def test_an_odd_extension_of_an_authority_shuts_nobody_out() -> None:
    root, name = certified(None, "authority", ca=True), x509.Name([])
    odd = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x05\xff")
    begin, end = root.certificate.not_valid_before_utc, root.certificate.not_valid_after_utc
    builder = x509.CertificateBuilder(name, name, root.key.public_key(), 7, begin, end)
    strange = Pair(builder.add_extension(odd, critical=False).sign(root.key, hashes.SHA256()), root.key)
    assert refusal(trusting(strange), certified(strange, "ann")) == ""
    with pytest.raises(ValueError):
        refusal(trusting(root), strange)


def test_connections_of_a_replaced_authority_stand() -> None:
    old, new = (certified(None, name, ca=True, length=0) for name in ("old", "new"))
    trust = trusting(old)
    ann = certified(old, "ann")
    trust.follow(new.certificate_pem)
    assert refusal(trust, ann) == ""
    for number in range(MOST_KEPT):
        trust.follow(certified(None, f"{number}", ca=True, length=0).certificate_pem)
    assert refusal(trust, ann) != "", "they are not kept for ever"
