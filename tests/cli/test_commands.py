import json

import pytest

from lsp_server import cli
from lsp_server.models.registry import REGISTRY


def test_doctor_looks_at_everything(fim_ls, says):
    says("a + b")
    code, out, _ = fim_ls("doctor", "--backend", "echo", "--json")
    findings = {finding["name"]: finding for finding in json.loads(out)["findings"]}
    assert code == 0
    assert findings["probe"]["ok"]
    assert {"python", "pygls", "settings", "backend", "template", "device", "first", "again"} <= set(findings)


def test_doctor_tells_a_model_that_writes_nonsense(fim_ls, says):
    says("banana")
    code, out, _ = fim_ls("doctor", "--backend", "echo")
    assert code == 1
    assert "no probe" in out


def test_doctor_tells_a_model_that_fails(fim_ls, says):
    says("", fail="The model is on fire.")
    code, out, _ = fim_ls("doctor", "--backend", "echo")
    assert code == 1
    assert "The model is on fire." in out


def test_demo_draws_the_suggestion(fim_ls, says):
    says("return 2 * math.pi * self.radius")
    code, out, _ = fim_ls("demo", "--backend", "echo")
    assert code == 0
    assert "        return 2 * math.pi * self.radius" in out


def test_prompt_shows_the_prompt_of_an_engine_without_its_tokenizer(fim_ls, source):
    code, out, _ = fim_ls("prompt", f"{source}:2:12", "--set", "openai.baseUrl=http://127.0.0.1:1", "--json")
    prompt = json.loads(out)
    assert code == 0
    assert prompt["pieces"] == ["def add(a, b):\n    return "]
    assert (prompt["order"], prompt["healed"], prompt["token_ids"]) == ("causal", "", None)


@pytest.mark.model
def test_prompt_shows_the_ids_and_what_is_healed(fim_ls, source, embedded_base):
    code, out, _ = fim_ls("prompt", f"{source}:2:12", "--model", embedded_base, "--json")
    prompt = json.loads(out)
    assert code == 0
    assert prompt["pieces"] == ["def add(a, b):\n    return"]
    assert prompt["healed"] == " "
    assert len(prompt["token_ids"]) == 9
    code, out, _ = fim_ls("prompt", f"{source}:2:12", "--model", embedded_base)
    assert "healed ' '" in out


def test_models_lists_what_is_known(fim_ls):
    code, out, _ = fim_ls("models")
    assert code == 0
    assert "smollm2-135m" in out
    assert "Apache-2.0" in out


def test_models_show_tells_all_of_one(fim_ls):
    code, out, _ = fim_ls("models", "show", "smollm2-135m")
    assert code == 0
    assert f"{REGISTRY['smollm2-135m'].weights.file_bytes:,} bytes" in out
    assert "bfloat16 269 MB" in out


def test_models_show_of_what_is_none_is_one_sentence(fim_ls):
    code, _, err = fim_ls("models", "show", "gpt-9")
    assert code == 2
    assert "gpt-9" in err


@pytest.mark.parametrize("command", ["serve", "complete", "prompt", "models", "eval", "doctor", "demo"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as leaving:
        cli.main([command, "--help"])
    assert leaving.value.code == 0
    assert f"fim-ls {command}" in capsys.readouterr().out


def test_an_address_without_a_port_is_one_sentence(fim_ls):
    code, _, err = fim_ls("serve", "--tcp", "localhost")
    assert code == 2
    assert "'localhost' is not of the form HOST:PORT." in err


def test_a_log_that_cannot_be_written_is_one_sentence(fim_ls, tmp_path):
    code, _, err = fim_ls("serve", "--log-file", tmp_path / "no" / "log")
    assert code == 2
    assert "The log cannot be written to" in err
