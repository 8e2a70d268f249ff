-- Ghost text by fim-ls: Neovim's own from 0.12 on, ours for 0.11. See |fim-ls|.

local parts = require('fim_ls.parts')

local M = {}

---@class fim_ls.Options
---@field builtin? boolean let Neovim draw, where it can; true unless said otherwise
---@field keys? table<fim_ls.Action, string|false>|false keys other than the usual ones; false for none

local is_builtin = vim.lsp.inline_completion ~= nil

local function drawing()
  return require(is_builtin and 'fim_ls.builtin' or 'fim_ls.ghost')
end

--- All that is needed: ghost text, the server, the keys.
---@param options? fim_ls.Options
function M.setup(options)
  options = options or {}
  M.enable(options)
  if options.keys ~= false then
    require('fim_ls.keys').map(options.keys or {})
  end
  vim.lsp.enable('fim_ls')
end

--- Draw suggestions from now on; call it before the server is enabled.
---@param options? { builtin?: boolean }
function M.enable(options)
  is_builtin = vim.lsp.inline_completion ~= nil and (options or {}).builtin ~= false
  drawing().enable()
end

--- Whether Neovim draws, and not this plugin.
function M.is_builtin()
  return is_builtin
end

--- Insert the drawn suggestion; false if there is none. Made for mappings with `expr = true`.
---@return boolean
function M.get()
  return drawing().get()
end

--- Insert the drawn suggestion; without one do something else.
---@param otherwise? fun()
---@return boolean
function M.accept(otherwise)
  return drawing().take(parts.all, otherwise)
end

--- Insert its next word.
---@param otherwise? fun()
---@return boolean
function M.accept_word(otherwise)
  return drawing().take(parts.word, otherwise)
end

--- Insert the rest of its line, or the next line.
---@param otherwise? fun()
---@return boolean
function M.accept_line(otherwise)
  return drawing().take(parts.line, otherwise)
end

local function or_else(is_done, otherwise)
  if not is_done and otherwise then
    otherwise()
  end
  return is_done
end

--- Draw the next candidate.
---@param otherwise? fun()
---@return boolean
function M.next(otherwise)
  return or_else(drawing().select(1), otherwise)
end

--- Draw the previous candidate.
---@param otherwise? fun()
---@return boolean
function M.previous(otherwise)
  return or_else(drawing().select(-1), otherwise)
end

--- Take the drawn suggestion away.
---@param otherwise? fun()
---@return boolean
function M.dismiss(otherwise)
  return or_else(drawing().dismiss(), otherwise)
end

--- Ask for suggestions at once.
function M.suggest()
  drawing().suggest()
end

--- What the model is doing, in a few words, for 'statusline'; empty without a server.
---@return string
function M.statusline()
  return require('fim_ls.status').line(vim.api.nvim_get_current_buf())
end

--- What the server told last of the model of a buffer; see |fim_ls.status()|.
---@param buf? integer
---@return fim_ls.Status?
function M.status(buf)
  return require('fim_ls.status').of(buf or vim.api.nvim_get_current_buf())
end

return M
