import sys

import pytest

from lsp_server.cli.leave import leave, let_go


class Stuck:
    """An engine whose thread comes back when it is told to."""

    is_back = False

    def close(self, _timeout_s=1.0):
        return self.is_back


@pytest.fixture(autouse=True)
def none_stuck(monkeypatch):
    monkeypatch.setattr(sys.modules["lsp_server.cli.leave"], "_stuck", [])  # its name is the function's too


def test_a_stuck_engine_would_end_the_process_and_here_the_test_only():
    let_go(Stuck())
    with pytest.raises(pytest.fail.Exception, match=r"left at once, with exit code 0$"):
        leave(0)


def test_an_engine_that_came_back_does_not():
    engine = Stuck()
    let_go(engine)
    engine.is_back = True
    assert leave(3) == 3
