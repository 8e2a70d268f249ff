-- How much of a suggestion one key takes.

local M = {}

---@alias fim_ls.Part fun(text: string): string The beginning of a text, never empty.

---@type fim_ls.Part
function M.all(text)
  return text
end

--- Up to the end of the next word, or of the next run of signs, with the blanks before it.
---@type fim_ls.Part
function M.word(text)
  local word = vim.fn.matchstr(text, [[^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)]])
  return word ~= '' and word or text
end

--- Up to the end of the line; at the end of one, all of the next.
---@type fim_ls.Part
function M.line(text)
  return text:match('^\n?[^\n]*')
end

return M
