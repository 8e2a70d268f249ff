import pytest

from lsp_server.completion.fim import FORMATS
from lsp_server.declared import FORMAT_NAMES, TAKES, DeclaredFormat
from lsp_server.lsp.options import Layers, concerns_us, resolve, unwrapped


def settled(*editor, user=None, command_line=None, root=None):
    settings, problems = resolve(Layers(user or {}, command_line or {}), *editor, root=root)
    assert problems == []
    return settings


def problems(*editor, root=None):
    return [problem.message for problem in resolve(Layers(), *editor, root=root)[1]]


def test_the_command_line_is_above_the_editor_and_the_editor_above_the_user_file():
    settings = settled(
        {"model": "editor", "device": "editor"},
        user={"model": "user", "device": "user", "dtype": "float16"},
        command_line={"model": "command line"},
    )
    assert (settings.model, settings.device, settings.dtype) == ("command line", "editor", "float16")


@pytest.mark.parametrize("said", [None, {}, [], "x", {"fim-ls": None}, {"fim-ls": {}}, {"model": None}])
def test_an_editor_may_say_nothing(said):
    assert settled(said) == settled()


def test_editor_values_come_bare_or_under_their_section():
    assert unwrapped({"model": "m"}) == unwrapped({"fim-ls": {"model": "m"}}) == {"model": "m"}


def test_what_the_editor_says_later_wins_but_only_where_it_says_something():
    settings = settled({"model": "first", "device": "cpu"}, {"fim-ls": {"model": "second", "device": None}})
    assert (settings.model, settings.device) == ("second", "cpu")


def test_a_wrong_value_keeps_the_one_below_it():
    settings, wrong = resolve(Layers(user={"debounceMs": 10}), {"debounceMs": "soon"})
    assert settings.debounce_ms == 10
    assert [problem.key for problem in wrong] == ["debounceMs"]


def test_an_unknown_key_is_a_problem_of_its_own():
    (message,) = problems({"modle": "m"})
    assert "modle" in message
    assert "editor" in message


def test_the_project_may_narrow(tmp_path):
    (tmp_path / ".fim-ls.toml").write_text('enabled = false\ndisabledGlobs = ["**/gen/**"]')
    settings = settled({"enabled": True, "disabledGlobs": ["a"]}, root=tmp_path)
    assert not settings.enabled
    assert settings.disabled_globs == ("a", "**/gen/**")


def test_the_project_may_not_name_a_model(tmp_path):
    (tmp_path / ".fim-ls.toml").write_text('model = "evil"\ntrustRemoteCode = true')
    settings, wrong = resolve(Layers(), root=tmp_path)
    assert (settings.model, settings.trust_remote_code) == (settled().model, False)
    assert {problem.key for problem in wrong} == {"model", "trustRemoteCode"}


def test_a_project_file_that_cannot_be_read_is_a_problem(tmp_path):
    (tmp_path / ".fim-ls.toml").write_text("= nonsense")
    assert len(problems(root=tmp_path)) == 1


@pytest.mark.parametrize(
    ("said", "concerned"),
    [
        (None, False),
        ([], False),
        ({}, False),
        ({"python": {}}, False),
        ({"fim-ls": None}, True),
        ({"enabled": True}, True),
    ],
)
def test_pushed_settings_of_others_do_not_concern_us(said, concerned):
    assert concerns_us(said) is concerned


TABLE = {"prefix": "<a>", "suffix": "<b>", "middle": "<c>", "stops": ["<end>"]}


@pytest.mark.parametrize("name", ["auto", *FORMATS])
def test_a_format_is_declared_by_its_name(name):
    assert settled({"fimFormat": name}).fim_format == name


def test_a_format_is_declared_by_its_pieces():
    assert settled({"fimFormat": TABLE}).fim_format == DeclaredFormat("<a>", "<b>", "<c>", "psm", ("<end>",))
    spm = {"prefix": "[P]", "suffix": "▁<S>", "order": "spm"}
    assert settled({"fimFormat": spm}).fim_format == DeclaredFormat("[P]", "▁<S>", order="spm")


@pytest.mark.parametrize(
    "value",
    [
        "starcoder3",
        "",
        7,
        [],
        {},
        {**TABLE, "order": "mps"},
        {**TABLE, "stops": "<end>"},
        {**TABLE, "stops": [3]},
        {**TABLE, "middle": ""},
        {**TABLE, "middle": "<a>"},
        {**TABLE, "prefix": "a"},
        {**TABLE, "prefix": "<a b>"},
        {**TABLE, "prefix": "<{prefix}>"},
        {**TABLE, "prefix": ["<a>"]},
        {**TABLE, "pad": "<pad>"},
    ],
)
def test_what_is_no_format_is_one_message_and_auto_stays(value):
    settings, (problem,) = resolve(Layers(), {"fimFormat": value})
    assert settings.fim_format == "auto"
    assert problem.message == f"The editor's settings: fimFormat must be {TAKES}; keeping 'auto'."


def test_a_project_cannot_declare_a_format(tmp_path):
    (tmp_path / ".fim-ls.toml").write_text('fimFormat = "starcoder"\n', encoding="utf-8")
    settings, (problem,) = resolve(Layers(), root=tmp_path)
    assert settings.fim_format == "auto"
    assert problem.message.endswith("a project may not set fimFormat.")


def test_the_settings_know_every_format():
    assert tuple(FORMATS) == FORMAT_NAMES
