"""How settings come together over a session."""

import pytest

from lsp_server.lsp.options import Layers


async def test_the_model_is_loaded_only_once_the_settings_are_known(wire, completer):
    await wire.initialize(workspace={"configuration": True})
    assert completer.started == 0
    (question,) = wire.sent("workspace/configuration")
    assert question["params"]["items"] == [{"section": "fim-ls"}]
    await wire.answer("workspace/configuration", [{"maxNewTokens": 7}])
    assert completer.settings.max_new_tokens == 7
    assert completer.started == 1


@pytest.mark.parametrize("answer", [[None], [], [{}], [7], None])
async def test_most_editors_have_no_settings_for_us(wire, completer, answer):
    await wire.initialize({"maxNewTokens": 7}, workspace={"configuration": True})
    await wire.answer("workspace/configuration", answer)
    assert completer.started == 1
    assert completer.settings.max_new_tokens == 7
    assert wire.messages() == []


async def test_an_editor_with_nothing_to_tell_does_not_take_back_what_it_pushed(wire, completer):
    await wire.initialize(workspace={"configuration": True})
    await wire.notify("workspace/didChangeConfiguration", {"settings": {"fim-ls": {"maxNewTokens": 9}}})
    await wire.answer("workspace/configuration", [None])
    assert completer.settings.max_new_tokens == 9


async def test_an_editor_that_refuses_to_tell_its_settings_is_served_all_the_same(wire, completer):
    await wire.initialize(workspace={"configuration": True})
    question = wire.sent("workspace/configuration")[-1]
    await wire.send(id=question["id"], error={"code": -32601, "message": "no"})
    assert completer.started == 1


async def test_an_editor_that_does_not_answer_such_questions_is_not_asked(wire, completer):
    await wire.initialize()
    await wire.notify("workspace/didChangeConfiguration", {"settings": None})
    assert wire.sent("workspace/configuration") == []
    assert completer.started == 1


@pytest.mark.parametrize("settings", [{"fim-ls": {"maxNewTokens": 9}}, {"maxNewTokens": 9}])
async def test_pushed_settings_hold_at_once(wire, completer, settings):
    await wire.initialize()
    await wire.notify("workspace/didChangeConfiguration", {"settings": settings})
    assert completer.settings.max_new_tokens == 9


async def test_a_change_without_settings_is_asked_about(wire, completer):
    await wire.initialize(workspace={"configuration": True})
    await wire.answer("workspace/configuration", [None])
    await wire.notify("workspace/didChangeConfiguration", {"settings": {"python": {"x": 1}}})
    await wire.answer("workspace/configuration", [{"maxNewTokens": 9}])
    assert completer.settings.max_new_tokens == 9


async def test_the_editor_is_asked_to_report_changed_settings(wire):
    await wire.initialize(workspace={"didChangeConfiguration": {"dynamicRegistration": True}})
    (registration,) = wire.sent("client/registerCapability")
    assert registration["params"]["registrations"][0]["method"] == "workspace/didChangeConfiguration"


async def test_each_wrong_setting_is_shown_once(wire, completer):
    wrong = {"debounceMs": "soon", "nonsense": 1, "maxNewTokens": 5}
    await wire.initialize(wrong)
    await wire.notify("workspace/didChangeConfiguration", {"settings": {"fim-ls": wrong}})
    shown = wire.messages()
    assert [kind for kind, _ in shown] == [2, 2]
    assert "debounceMs" in shown[0][1]
    assert "nonsense" in shown[1][1]
    assert completer.settings.max_new_tokens == 5


async def test_the_projects_own_file_narrows(wire, completer, tmp_path):
    (tmp_path / ".fim-ls.toml").write_text('disabledLanguages = ["markdown"]\nmodel = "theirs"')
    params = {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": {}}
    await wire.request("initialize", params)
    assert completer.settings.disabled_languages == ("markdown",)
    assert completer.settings.model != "theirs"
    assert len(wire.messages()) == 1


async def test_the_first_folder_is_the_project_where_no_root_is_named(wire, completer, tmp_path):
    (tmp_path / ".fim-ls.toml").write_text("enabled = false")
    folder = {"uri": tmp_path.as_uri(), "name": "a"}
    params = {"processId": None, "rootUri": None, "workspaceFolders": [folder], "capabilities": {}}
    await wire.request("initialize", params)
    assert not completer.settings.enabled


async def test_toggle_switches_off_and_on_and_outlives_other_changes(wire, completer):
    await wire.initialize()
    assert await wire.execute("fim-ls.toggle") == {"enabled": False}
    await wire.notify("workspace/didChangeConfiguration", {"settings": {"fim-ls": {"maxNewTokens": 9}}})
    assert (completer.settings.enabled, completer.settings.max_new_tokens) == (False, 9)
    assert await wire.execute("fim-ls.toggle", "whatever", 1) == {"enabled": True}


@pytest.mark.parametrize("layers", [Layers(command_line={"enabled": False})])
async def test_toggle_has_the_last_word(wire, completer):
    await wire.initialize({"enabled": True})
    assert not completer.settings.enabled
    assert await wire.execute("fim-ls.toggle") == {"enabled": True}
