/** The languages that the editor colours; any other file is edited as plain text. */

import { go } from "@codemirror/lang-go";
import { javascript } from "@codemirror/lang-javascript";
import { python } from "@codemirror/lang-python";
import { rust } from "@codemirror/lang-rust";
import type { Extension } from "@codemirror/state";

export interface Language {
  /** As LSP names it. */
  id: string;
  /** What one level is indented by. */
  indentation: string;
  /** Colours and indentation, for the languages of the examples; each one more makes the page larger. */
  support: Extension;
}

const PLAIN: Language = { id: "plaintext", indentation: "    ", support: [] };
const LANGUAGES: Record<string, () => Partial<Language>> = {
  c: () => ({ id: "c" }),
  cpp: () => ({ id: "cpp" }),
  cs: () => ({ id: "csharp" }),
  go: () => ({ id: "go", indentation: "\t", support: go() }),
  java: () => ({ id: "java" }),
  js: () => ({ id: "javascript", indentation: "  ", support: javascript({ jsx: true }) }),
  php: () => ({ id: "php" }),
  py: () => ({ id: "python", support: python() }),
  rb: () => ({ id: "ruby", indentation: "  " }),
  rs: () => ({ id: "rust", support: rust() }),
  sh: () => ({ id: "shellscript", indentation: "  " }),
  ts: () => ({ id: "typescript", indentation: "  ", support: javascript({ typescript: true }) }),
};

export function languageOf(name: string): Language {
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  return { ...PLAIN, ...LANGUAGES[extension]?.() };
}
