"""Languages as models were told of them: what a comment looks like, and the language's name.

Both are as in the table that aiXcoder's makers trained with (``hf_mini/utils.py``), even where they are
not what the language itself has, such as Lua's comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Language(NamedTuple):
    """The signs around a comment on one line, with their blanks, and the name for people."""

    open: str
    close: str
    name: str


def _languages() -> Iterator[tuple[str, Language]]:
    for sign, close, names in (
        ("# ", "", "python=Python ruby=Ruby perl=Perl r=R julia=Julia elixir=Elixir yaml=YAML"),
        ("# ", "", "shellscript=Shell powershell=PowerShell dockerfile=Dockerfile makefile=Makefile"),
        ("// ", "", "c=C cpp=C++ csharp=C# java=Java go=Go rust=Rust kotlin=Kotlin swift=swift scala=Scala"),
        ("// ", "", "javascript=JavaScript javascriptreact=JSX typescript=TypeScript php=PHP dart=Dart"),
        ("// ", "", "groovy=Groovy objective-c=Objective-C zig=Zig solidity=Solidity"),
        ("-- ", "", "sql=SQL haskell=Haskell elm=Elm"),
        ("// ", "", "lua=Lua"),
        ("% ", "", "erlang=Erlang latex=TeX matlab=Matlab"),
        ("; ", "", "clojure=Clojure"),
        ("/* ", " */", "css=CSS"),
        ("<!--", "-->", "html=HTML markdown=Markdown vue=Vue"),
    ):
        for each in names.split():
            identifier, _, name = each.partition("=")
            yield identifier, Language(sign, close, name)
    yield "typescriptreact", Language("// ", "", "TypeScript with JSX")


LANGUAGES: Mapping[str, Language] = dict(_languages())
"""By the identifier that LSP gives a language."""
