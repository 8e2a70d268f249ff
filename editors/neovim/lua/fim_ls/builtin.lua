-- The same keys for the ghost text that is built into Neovim 0.12. It has no public way to ask for
-- more candidates, nor to know what is drawn before it is taken.

local suggestions = require('fim_ls.suggestion')
local parts = require('fim_ls.parts')
local take = require('fim_ls.take')

local M = {}

-- The line of a place before this much of it was written.
local function place_before(place, written)
  return vim.tbl_extend('force', place, { before = place.before:sub(1, #place.before - written) })
end

-- A drawn item as it was asked for. Neovim draws on along what is typed, whether it fits or not, and
-- would insert the whole text once more.
local function suggestion_of(item, place)
  local client = vim.lsp.get_client_by_id(item.client_id)
  local row, first, _, last = item.range:to_extmark()
  if not client or row ~= place.row or first > #place.before then
    return nil
  end
  return {
    place = place_before(place, #place.before - first),
    text = item.insert_text,
    replaces = last - first,
    item = { insertText = item.insert_text, command = item.command },
    client = client,
  }
end

local function take_part(item, part)
  local place = suggestions.here()
  local suggestion = suggestion_of(item, place)
  local left = suggestion and suggestions.left(suggestion, place)
  if left then
    take(suggestion, place, left, part)
  end
  return left ~= nil
end

-- Behind a popup menu nothing is taken.
local function get(on_accept)
  return vim.fn.pumvisible() == 0 and vim.lsp.inline_completion.get({ on_accept = on_accept })
end

--- Insert a part of what is drawn; where nothing is, or a popup menu is open, do something else.
---@param part fim_ls.Part
---@param otherwise? fun()
---@return boolean is_there
function M.take(part, otherwise)
  otherwise = otherwise or function() end
  local function on_accept(item)
    if not take_part(item, part) then
      otherwise()
    end
  end
  local is_there = get(on_accept)
  if not is_there then
    otherwise()
  end
  return is_there
end

--- Insert what is drawn, right after the mapping was evaluated.
---@return boolean is_there
function M.get()
  return M.take(parts.all)
end

--- Draw another candidate of those that are there.
---@param step integer 1 for the next, -1 for the previous
---@return boolean may_be_there
function M.select(step)
  local is_free = vim.fn.pumvisible() == 0
  if is_free then
    vim.lsp.inline_completion.select({ count = step })
  end
  return is_free
end

--- Take what is drawn away.
---@return boolean is_gone
function M.dismiss()
  return get(function() end)
end

--- Typing is the only way to ask.
function M.suggest() end

--- Draw suggestions from now on.
function M.enable()
  vim.lsp.inline_completion.enable()
end

return M
