import threading

import pytest

from lsp_server.engine.handoff import pull


def count_to(limit, offered):
    def push(offer):
        for number in range(limit):
            offered.append(number)
            if not offer(number):
                return

    return push


def test_all_that_is_pushed_can_be_pulled():
    assert list(pull(count_to(5, []))) == [0, 1, 2, 3, 4]


def test_closing_ends_the_call_a_few_items_later_and_waits_for_it():
    offered = []
    items = pull(count_to(1000, offered))
    next(items)
    items.close()
    assert len(offered) <= 4
    assert not [thread for thread in threading.enumerate() if thread.name == "fim-ls handoff"]


def test_what_the_call_raises_is_raised_where_it_is_pulled():
    def push(offer):
        offer(1)
        raise LookupError("gone")

    items = pull(push)
    assert next(items) == 1
    with pytest.raises(LookupError, match="gone"):
        next(items)


def test_a_call_that_offers_nothing_gives_nothing():
    assert list(pull(lambda _offer: None)) == []
