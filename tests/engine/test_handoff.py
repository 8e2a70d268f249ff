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


def test_the_call_hears_at_the_item_that_was_left_and_is_waited_for():
    offered = []
    items = pull(count_to(1000, offered))
    next(items)
    items.close()
    assert offered == [0]
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


def test_a_call_that_does_not_listen_is_waited_for_all_the_same():
    def push(offer):
        heard.extend(offer(number) for number in range(5))

    heard = []
    items = pull(push)
    next(items)
    next(items)
    items.close()
    assert heard == [True, False, False, False, False]
