"""What an editor said of itself in ``initialize``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability

from lsp_server.lsp.convert import Dialect

if TYPE_CHECKING:
    from lsp_server.lsp.convert import Encoding

INSERTS_CARRIAGE_RETURNS = frozenset({"Neovim"})
"""Clients that put a ``\\r`` of ghost text into the line instead of taking it for a line end."""


@dataclass(frozen=True)
class Client:
    """What a client can do, and how it wants answers spelled.

    Attributes:
        dialect: position units, markup and line ends.
        inline_completion: draws ghost text.
        configuration: answers ``workspace/configuration``.
        progress: draws work-done progress that the server begins.
        applies_edits: lets the server change documents.
        versioned_edits: refuses edits of another version than it has.
        code_action_literals: takes code actions, and not only commands.
        registers_configuration: can be asked to report changed settings.
        registers_completion: can be told later that completion is provided.
    """

    dialect: Dialect = field(default_factory=Dialect)
    inline_completion: bool = False
    configuration: bool = False
    progress: bool = False
    applies_edits: bool = False
    versioned_edits: bool = False
    code_action_literals: bool = False
    registers_configuration: bool = False
    registers_completion: bool = False

    @classmethod
    def of(cls, params: types.InitializeParams, encoding: Encoding) -> Client:
        """The client that sent these, with the position encoding that was agreed on."""
        can = params.capabilities
        name = params.client_info.name if params.client_info else ""
        formats = get_capability(can, "text_document.completion.completion_item.documentation_format") or ()
        return cls(
            Dialect(encoding, types.MarkupKind.Markdown in formats, name in INSERTS_CARRIAGE_RETURNS),
            inline_completion=get_capability(can, "text_document.inline_completion") is not None,
            configuration=bool(get_capability(can, "workspace.configuration")),
            progress=bool(get_capability(can, "window.work_done_progress")),
            applies_edits=bool(get_capability(can, "workspace.apply_edit")),
            versioned_edits=bool(get_capability(can, "workspace.workspace_edit.document_changes")),
            code_action_literals=get_capability(can, "text_document.code_action.code_action_literal_support")
            is not None,
            registers_configuration=bool(
                get_capability(can, "workspace.did_change_configuration.dynamic_registration")
            ),
            registers_completion=bool(get_capability(can, "text_document.completion.dynamic_registration")),
        )
