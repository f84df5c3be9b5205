"""The account of a resource: what fits, and the words for what does not."""

from hypothesis import given
from hypothesis import strategies as st

from twinplane.share.ledger import BYTES, MILLICORES, Account, shortfall

amounts = st.integers(0, 10**6)


def test_the_refusal_names_everything_that_binds() -> None:
    account = Account(capacity=1000, reserve=100, committed=300)
    assert shortfall(account, 590, 10, MILLICORES) is None
    assert shortfall(account, 700, 0, MILLICORES) == (
        "700 millicores do not fit; free 600 millicores of 1000 millicores "
        "(reserve 100 millicores, committed 300 millicores); at most 600 millicores"
    )


def test_memory_is_told_in_mebibytes_and_what_has_to_be_written_to_the_byte() -> None:
    account = Account(capacity=(1000 << 20) + 5, reserve=100 << 20, committed=300 << 20)
    assert shortfall(account, 591 << 20, 10 << 20, BYTES) == (
        "619708416 bytes (591 MiB) + 10 MiB overhead do not fit; free 600 MiB of 1000 MiB "
        "(reserve 100 MiB, committed 300 MiB); at most 618659845 bytes (590 MiB)"
    )


def test_a_host_that_shrank_has_nothing_free() -> None:
    text = shortfall(Account(100, 50, 80), 10, 5, MILLICORES)
    assert text is not None
    assert "free 0 millicores of 100 millicores" in text
    assert text.endswith("at most 0 millicores")


@given(amounts, amounts, amounts, amounts, amounts)
def test_what_is_named_as_the_most_fits_and_one_more_does_not(
    capacity: int, reserve: int, committed: int, asked: int, overhead: int
) -> None:
    account = Account(capacity, reserve, committed)
    refusal = shortfall(account, asked, overhead, BYTES)
    if refusal is None:
        assert account.charge(asked + overhead).free >= 0
        return
    most = int(refusal.rpartition("at most ")[2].split()[0])
    assert most < asked or asked == 0
    if account.free >= overhead:
        assert shortfall(account, most, overhead, BYTES) is None
        assert shortfall(account, most + 1, overhead, BYTES) is not None
