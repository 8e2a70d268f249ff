import pytest

from lsp_server.completion.trigger import Ask, Go, Skip, decide
from lsp_server.settings import Settings

TYPED = Ask()
INVOKED = Ask(invoked=True)


@pytest.mark.parametrize(
    ("drawing", "rule"),
    [
        ("x = |", "short_document"),
        ("import re\nprint(val|ue)", "inside_word"),
        ("import re\nprint(|, file=out)", "middle_of_line"),
        ("import re\nre.compile();|", "finished_line"),
        ("numbers = [1, 2, 3]|", "finished_line"),
        ("import re\nre.compile(\n    '(',\n)[0]|", "finished_line"),
    ],
)
def test_typing_does_not_ask_where_a_suggestion_is_in_the_way(at, drawing, rule):
    assert decide(at(drawing), TYPED, Settings()).unwelcome == rule


def test_the_head_of_a_block_is_finished_by_its_colon(at):
    assert decide(at("for row in rows:\n    if row[0]|"), TYPED, Settings()).unwelcome is None
    assert decide(at("matches = row[0]|"), TYPED, Settings()).unwelcome == "finished_line"
    assert decide(at("for (;;) {\n    case[0]|", "c"), TYPED, Settings()).unwelcome == "finished_line"


@pytest.mark.parametrize("drawing", ["x = |", "import re\nprint(|, file=out)", "numbers = [1, 2, 3]|"])
def test_a_key_press_asks_all_the_same(at, drawing):
    assert decide(at(drawing), INVOKED, Settings()).unwelcome is None


@pytest.mark.parametrize(
    "drawing",
    [
        "import re\nprint(|)",
        "import re\ncall(a, |));",
        'import re\nname = "|"',
        "import re\nfor x in |:",
        "import re\nprint(items[0]|",
        'import re\nname = f"{first}|',
        "import re\n|",
    ],
)
def test_closers_behind_the_cursor_are_no_obstacle(at, drawing):
    assert decide(at(drawing), TYPED, Settings()).unwelcome is None


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (Settings(enabled=False), "switched_off"),
        (Settings(disabled_languages=("python",)), "language_disabled"),
        (Settings(disabled_globs=("**/project/*.py",)), "path_disabled"),
    ],
)
def test_what_is_switched_off_stays_off_even_for_a_key_press(at, settings, rule):
    assert decide(at("import re\nx = |"), INVOKED, settings) == Skip(rule)


@pytest.mark.parametrize(
    "name", [".env", ".env.local", "server.pem", "id_rsa", ".npmrc", "with%20space/.env"]
)
def test_secrets_get_no_suggestions_by_default(at, name):
    snapshot = at("PASSWORD=12345|", "plaintext", f"file:///home/me/{name}")
    assert decide(snapshot, INVOKED, Settings()) == Skip("path_disabled")


@pytest.mark.parametrize(
    "drawing",
    [
        "def area(radius):|",
        "def area(radius):\n    |",
        "def area(radius):\n    |\n\ndef other():\n    pass\n",
        "function area(radius) {\n  |\n}\n",
        "value = call(|",
        "if ready then\n    |",
    ],
)
def test_a_block_without_a_body_wants_a_block(at, drawing):
    assert decide(at(drawing), TYPED, Settings()) == Go(multiline=True)


@pytest.mark.parametrize(
    "drawing",
    [
        "def area(radius):|\n    return radius\n",
        "def area(radius):\n    x = |",
        "def area(radius):\n    x = 1\n    |",
        "def area(radius):\n    |\n        return radius\n",
        "import re\n# how to do it: |",
    ],
)
def test_all_else_wants_one_line(at, drawing):
    assert decide(at(drawing), TYPED, Settings()) == Go(multiline=False)


def test_the_setting_overrules(at):
    assert decide(at("def area(r):\n    |"), TYPED, Settings(multiline="never")) == Go(multiline=False)
    assert decide(at("value = radius|"), TYPED, Settings(multiline="always")) == Go(multiline=True)


def test_words_behind_the_cursor_keep_even_a_key_press_to_one_line(at):
    assert decide(at("import re\nprint(|, file=out)"), INVOKED, Settings()) == Go(multiline=False)


@pytest.mark.parametrize("drawing", ["|", "\n|\n", "   |"])
def test_a_document_without_a_word_says_nothing_to_go_on_from(at, drawing):
    assert decide(at(drawing), INVOKED, Settings()) == Skip("empty_document")


def test_a_glob_of_a_project_need_not_be_rooted(at):
    settings = Settings(disabled_globs=("secrets/*",))
    snapshot = at("import re\nx = |", uri="file:///home/me/project/secrets/keys.py")
    assert decide(snapshot, INVOKED, settings) == Skip("path_disabled")


def test_a_name_that_is_no_uri_is_completed_in(at):
    assert isinstance(decide(at("import re\nx = |", uri="http://[bad/x"), TYPED, Settings()), Go)


@pytest.mark.parametrize(
    "drawing",
    [
        "if |:\n    return -1\n",
        "def greet(|):\n    return 1\n",
        "if (|) {\n    return 1;\n}\n",
        "const add = (|) => {\n  return 1;\n};\n",
        "def fib(n):\n    |\n        return n\n",
    ],
)
def test_the_head_of_a_block_whose_body_stands_below_is_one_line_even_for_a_key_press(at, drawing):
    assert decide(at(drawing), INVOKED, Settings()) == Go(multiline=False)


@pytest.mark.parametrize("drawing", ["def fib(n):\n    |\n\n\ndef g():\n    pass\n", "x = call(|)\ny = 1\n"])
def test_a_line_at_the_same_depth_below_is_no_body(at, drawing):
    assert decide(at(drawing), INVOKED, Settings()) == Go(multiline=True)
