-- Puts a suggestion, or the beginning of it, into the buffer and tells the server.

-- Write a text at a place in the stead of some bytes behind it, the cursor to its end.
local function put(place, text, replaces)
  local lines, row, col = vim.split(text, '\n', { plain = true }), place.row, #place.before
  vim.api.nvim_buf_set_text(place.buf, row, col, row, col + replaces, lines)
  vim.api.nvim_win_set_cursor(0, { row + #lines, #lines[#lines] + (#lines == 1 and col or 0) })
end

local function tell_whole(suggestion)
  if suggestion.item.command then
    suggestion.client:exec_cmd(suggestion.item.command, { bufnr = suggestion.place.buf })
  end
end

local function tell_part(suggestion, left)
  local inserted = suggestion.item.insertText --[[@as string]]
  local accepted = inserted:sub(1, #inserted - #left)
  suggestion.client:notify('textDocument/didPartiallyAcceptCompletion', {
    item = suggestion.item,
    acceptedLength = vim.str_utfindex(accepted, 'utf-16'),
  })
end

--- Insert a part of what is left of a suggestion at a place. One `u` takes it back.
---@param suggestion fim_ls.Suggestion
---@param place fim_ls.Place
---@param left string
---@param part fim_ls.Part
---@return boolean is_whole nothing more is left of it
return function(suggestion, place, left, part)
  local taken = part(left)
  local is_whole = #taken == #left
  vim.go.undolevels = vim.go.undolevels -- ends the undo step that was typed so far
  put(place, taken, is_whole and suggestion.replaces or 0)
  if is_whole then
    tell_whole(suggestion)
  else
    tell_part(suggestion, left:sub(#taken + 1))
  end
  return is_whole
end
