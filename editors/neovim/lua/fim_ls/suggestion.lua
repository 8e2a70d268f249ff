-- A suggestion, and how much of it is left at a place once some of it stands in the buffer.

local M = {}

---@class fim_ls.Place Where the cursor stands.
---@field buf integer
---@field row integer counted from 0
---@field before string the line before the cursor
---@field after string the line behind it
---@field tick integer the buffer's version

---@class fim_ls.Suggestion
---@field place fim_ls.Place where it was asked for
---@field text string what belongs there
---@field replaces integer bytes behind the place that it stands in for
---@field item lsp.InlineCompletionItem as the server gave it
---@field client vim.lsp.Client
---@field is_told boolean? the server was told that it is drawn

--- The cursor of the current window.
---@return fim_ls.Place
function M.here()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local buf, line = vim.api.nvim_get_current_buf(), vim.api.nvim_get_current_line()
  local tick = vim.api.nvim_buf_get_changedtick(buf)
  return { buf = buf, row = row - 1, before = line:sub(1, col), after = line:sub(col + 1), tick = tick }
end

--- What the server answered to a request from a place.
---@param client vim.lsp.Client
---@param place fim_ls.Place
---@param item lsp.InlineCompletionItem
---@return fim_ls.Suggestion
function M.of(client, place, item)
  local line = place.before .. place.after
  local last = vim.str_byteindex(line, client.offset_encoding, item.range['end'].character, false)
  return {
    place = place,
    text = item.insertText,
    replaces = last - #place.before,
    item = item,
    client = client,
  }
end

-- What was written between where a suggestion begins and a place behind that.
local function written(from, to)
  local line = vim.api.nvim_buf_get_lines(to.buf, from.row, from.row + 1, false)[1]
  if not line or not vim.startswith(line, from.before) then
    return nil
  end
  if to.row < from.row or (to.row == from.row and #to.before < #from.before) then
    return nil
  end
  local lines = vim.api.nvim_buf_get_text(to.buf, from.row, #from.before, to.row, #to.before, {})
  return table.concat(lines, '\n')
end

--- What is left of a suggestion at a place, if all that was written since is how it begins.
--- Reads the buffer: while keys come faster than they are handled, Neovim raises no events.
---@param suggestion fim_ls.Suggestion
---@param place fim_ls.Place
---@return string?
function M.left(suggestion, place)
  local origin = suggestion.place
  if origin.buf ~= place.buf or origin.after ~= place.after then
    return nil
  end
  local head = written(origin, place)
  if not head or #head >= #suggestion.text or not vim.startswith(suggestion.text, head) then
    return nil
  end
  return suggestion.text:sub(#head + 1)
end

return M
