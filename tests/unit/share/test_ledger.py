"""The account of a resource: what fits, and the words for what does not."""

from hypothesis import given
from hypothesis import strategies as st

from twinplane.share.ledger import Account, shortfall

amounts = st.integers(0, 10**6)


def test_the_refusal_names_everything_that_binds() -> None:
    account = Account(capacity=1000, reserve=100, committed=300)
    assert shortfall(account, 590, 10) is None
    assert shortfall(account, 591, 10) == (
        "591 + 10 overhead do not fit; free 600 of 1000 (reserve 100, committed 300); at most 590"
    )
    assert shortfall(account, 700) == (
        "700 do not fit; free 600 of 1000 (reserve 100, committed 300); at most 600"
    )


def test_a_host_that_shrank_has_nothing_free() -> None:
    text = shortfall(Account(100, 50, 80), 10, 5)
    assert text is not None
    assert "free 0 of 100" in text
    assert text.endswith("at most 0")


@given(amounts, amounts, amounts, amounts, amounts)
def test_what_is_named_as_the_most_fits_and_one_more_does_not(
    capacity: int, reserve: int, committed: int, asked: int, overhead: int
) -> None:
    account = Account(capacity, reserve, committed)
    refusal = shortfall(account, asked, overhead)
    if refusal is None:
        assert account.charge(asked + overhead).free >= 0
        return
    most = int(refusal.rsplit(" ", 1)[1])
    assert most < asked or asked == 0
    if account.free >= overhead:
        assert shortfall(account, most, overhead) is None
        assert shortfall(account, most + 1, overhead) is not None
