"""Settings: one frozen dataclass, which also documents itself, and the one way that values get into it.

Keys on the wire and in files are camelCase and all optional. Precedence: command line > editor > user file
> defaults. A file in the opened project may only narrow (``PROJECT_KEYS``).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_type_hints

import platformdirs

from lsp_server.checks import checked, describe_type
from lsp_server.declared import TAKES, DeclaredFormat, checked_format
from lsp_server.errors import SettingsError

APP_NAME = "fim-ls"
SECTION = "fim-ls"
"""The section that editors are asked for in ``workspace/configuration``."""
PROJECT_FILE = ".fim-ls.toml"
CPU_PROMPT_TOKENS = 512
ACCELERATED_PROMPT_TOKENS = 2048
EMBEDDED_MODEL = "smollm2-135m"


def _setting(
    default: Any, doc: str, unit: str = "", low: float | None = None, high: float | None = None
) -> Any:
    """A field with what its documentation and its check need."""
    return field(default=default, metadata={"doc": doc, "unit": unit, "low": low, "high": high})


@dataclass(frozen=True)
class OpenAiSettings:
    """Where an HTTP engine answers; nothing is sent anywhere while ``base_url`` is empty."""

    base_url: str = _setting(
        "", "Base URL of an engine that serves /v1/completions, for example http://127.0.0.1:8000/v1."
    )
    model: str = _setting("", "Name the engine knows the model by; empty takes the first it lists.")
    api_key_env: str = _setting(
        "", "Name of the environment variable that holds the key; the key itself is never a setting."
    )


@dataclass(frozen=True)
class Settings:
    """Everything a user can set, complete, checked and frozen."""

    enabled: bool = _setting(True, "Whether suggestions are given at all.")
    model: str = _setting(
        EMBEDDED_MODEL, "A registry name, a GGUF file, a directory with a checkpoint, or a hub name."
    )
    fim_format: str | DeclaredFormat = field(
        default="auto",
        metadata={
            "doc": "How the model is asked for a middle, for one that is not known; auto finds out.",
            "unit": "",
            "takes": TAKES,
            "check": checked_format,
        },
    )
    backend: Literal["auto", "transformers", "ik_llama", "llama_cpp", "openai", "echo"] = _setting(
        "auto",
        "What runs the model; auto is openai with a base URL, transformers for a checkpoint, and for a GGUF "
        "file ik_llama on a CPU that it is made for, else llama_cpp.",
    )
    device: str = _setting("auto", "auto, cpu, cuda, cuda:N or mps.")
    dtype: Literal["auto", "float32", "float16", "bfloat16", "int8", "int4"] = _setting(
        "auto", "Number format of the weights (transformers)."
    )
    device_map: str = _setting(
        "",
        "accelerate's device map, for example auto, to spread a model over several devices (transformers).",
    )
    max_memory: tuple[str, ...] = _setting(
        (),
        "How much of each device a model that is spread may take, for example 0=20GiB and cpu=48GiB"
        " (transformers).",
    )
    offload_folder: str = _setting(
        "", "Where a model that is spread keeps what has no room in memory; empty for nowhere (transformers)."
    )
    threads: int = _setting(
        0,
        "CPU threads of the model; 0 takes the physical cores, on a small machine all but one to write.",
        "threads",
        0,
        1024,
    )
    context_tokens: int | Literal["auto"] = _setting(
        "auto",
        "Budget of the prompt; auto is 2048 on an accelerator, and on a CPU what it reads in 0.7 s, "
        "from 256 to 1024.",
        "tokens",
        64,
        131_072,
    )
    max_new_tokens: int = _setting(
        128, "Bound on what is generated for a block; a single line takes at most half.", "tokens", 1, 2048
    )
    multiline: Literal["auto", "never", "always"] = _setting("auto", "Whether a suggestion may span lines.")
    debounce_ms: int | Literal["auto"] = _setting(
        "auto",
        "How long typing must rest before the model is asked; auto follows your typing and the model's speed,"
        " 0 to 150.",
        "ms",
        0,
        5000,
    )
    answer_within_ms: int = _setting(
        500,
        "After how long a block is answered with the lines that are complete by then; 0 waits for all of it.",
        "ms",
        0,
        10_000,
    )
    deadline_ms: int = _setting(
        30_000,
        "After how long without a sign of life the model is given up and loaded anew.",
        "ms",
        1000,
        600_000,
    )
    temperature: float = _setting(0.0, "0 takes the likeliest token; more is more varied.", "", 0, 2)
    top_p: float = _setting(0.95, "Nucleus mass kept when sampling.", "", 0, 1)
    candidates: int = _setting(3, "How many suggestions an explicit request may return.", "suggestions", 1, 8)
    disabled_languages: tuple[str, ...] = _setting((), "LSP language identifiers that get no suggestions.")
    disabled_globs: tuple[str, ...] = _setting(
        (
            "**/.env",
            "**/.env.*",
            "**/*.pem",
            "**/*.key",
            "**/id_rsa*",
            "**/id_ed25519*",
            "**/.netrc",
            "**/.npmrc",
            "**/.pypirc",
        ),
        "Paths that get no suggestions and are never read as context.",
    )
    completion_fallback: Literal["auto", "on", "off"] = _setting(
        "auto", "Answer textDocument/completion too; auto does so for editors without inline completion."
    )
    openai: OpenAiSettings = field(default_factory=OpenAiSettings, metadata={"doc": "The HTTP engine."})
    allow_pickle: bool = _setting(
        False, "Whether weights may be read that are not safetensors, but pickled (transformers)."
    )
    trust_remote_code: bool = _setting(
        False, "Whether code that comes with a checkpoint may run. Leave it off."
    )

    def prompt_tokens(self, device: str) -> int:
        """The budget of the prompt for a model on this device: a CPU reads some 250 tokens a second."""
        if self.context_tokens != "auto":
            return self.context_tokens
        return CPU_PROMPT_TOKENS if device == "cpu" else ACCELERATED_PROMPT_TOKENS


PROJECT_KEYS = frozenset({"enabled", "disabledLanguages", "disabledGlobs", "multiline"})
"""What a file in the opened project may say; each value can only narrow."""


@dataclass(frozen=True)
class Problem:
    """A setting that was not taken: its key, and one sentence."""

    key: str
    message: str


def camel(name: str) -> str:
    """The wire name of a field: ``debounce_ms`` is ``debounceMs``."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def updated(settings: Settings, values: Mapping[str, Any], source: str) -> tuple[Settings, list[Problem]]:
    """Settings with the values of one source put over them; what is wrong keeps its former value.

    Args:
        settings: what holds so far.
        values: camelCase keys, all optional; None means "not said".
        source: where the values are from, for the sentences.

    Returns:
        The new settings, and a problem for each key that was not taken.
    """
    problems: list[Problem] = []
    return _updated(settings, values, source, "", problems), problems


def _updated(target: Any, values: Mapping[str, Any], source: str, above: str, problems: list[Problem]) -> Any:
    known = {camel(f.name): f for f in dataclasses.fields(target)}
    hints = get_type_hints(type(target))
    changes: dict[str, Any] = {}
    for key, value in values.items():
        path = above + key
        if key not in known:
            problems.append(Problem(path, f"{source}: there is no setting {path}."))
        elif value is not None:
            spec = known[key]
            if dataclasses.is_dataclass(hints[spec.name]) and isinstance(value, Mapping):
                changes[spec.name] = _updated(getattr(target, spec.name), value, source, f"{path}.", problems)
            elif (taken := checked(value, hints[spec.name], spec.metadata)) is not None:
                changes[spec.name] = taken
            else:
                kept = getattr(target, spec.name)
                wanted = describe_type(hints[spec.name], spec.metadata)
                problems.append(Problem(path, f"{source}: {path} must be {wanted}; keeping {kept!r}."))
    return dataclasses.replace(target, **changes)


def user_file() -> Path:
    """Where a user's own settings are looked for."""
    return platformdirs.user_config_path(APP_NAME, appauthor=False) / "config.toml"


def read_file(path: Path) -> dict[str, Any]:
    """The values in a TOML file; empty when there is none.

    Raises:
        SettingsError: it cannot be read, or is not TOML.
    """
    if not path.exists():
        return {}
    import tomllib  # noqa: PLC0415 - most users have no file, and every start would wait for the import

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        message = f"The settings file {path} cannot be read: {error}."
        raise SettingsError(message) from error


def narrowed(settings: Settings, project: Mapping[str, Any], source: str) -> tuple[Settings, list[Problem]]:
    """Settings with what a project's own file may say: turn off, ignore more, suggest less."""
    problems = [
        Problem(key, f"{source}: a project may not set {key}.") for key in project if key not in PROJECT_KEYS
    ]
    allowed = {key: value for key, value in project.items() if key in PROJECT_KEYS}
    said, wrong = updated(settings, allowed, source)
    merged = dataclasses.replace(
        settings,
        enabled=settings.enabled and said.enabled,
        disabled_languages=_union(settings.disabled_languages, said.disabled_languages),
        disabled_globs=_union(settings.disabled_globs, said.disabled_globs),
        multiline=said.multiline if said.multiline == "never" else settings.multiline,
    )
    return merged, problems + wrong


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


@dataclass(frozen=True)
class Row:
    """One setting as it is documented: its key, what it takes, its unit, its default, what it is for."""

    key: str
    values: str
    unit: str
    default: str
    doc: str


def rows(settings: Any = Settings(), above: str = "") -> Iterator[Row]:
    """The table of all settings, in order; tables in it are spelled out."""
    hints = get_type_hints(type(settings))
    for spec in dataclasses.fields(settings):
        key, default = above + camel(spec.name), getattr(settings, spec.name)
        if dataclasses.is_dataclass(default):
            yield from rows(default, f"{key}.")
        else:
            values = describe_type(hints[spec.name], spec.metadata)
            yield Row(key, values, spec.metadata["unit"], json.dumps(default), spec.metadata["doc"])
