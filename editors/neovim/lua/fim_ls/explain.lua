-- What `fim-ls.explain` and `fim-ls.status` answer, in lines to read.

local M = {}

local function add(lines, ...)
  table.insert(lines, string.format(...))
end

local function add_repeats(lines, repeats)
  for _, one in ipairs(repeats) do
    add(lines, 'Repeats %d characters of %s:%d', one.characters, one.path, one.line)
  end
end

--- Why the last request gave what it gave.
---@param answer table the result of `fim-ls.explain`
---@return string[]
function M.explanation(answer)
  local lines, usage, times = {}, answer.usage, answer.timings
  add(lines, 'The model ended with "%s".', answer.finishReason)
  if answer.droppedBy and answer.droppedBy ~= vim.NIL then -- Neovim 0.11 leaves out what is null
    add(lines, 'Nothing is shown because of "%s".', answer.droppedBy)
  end
  add(lines, '')
  for _, stage in ipairs(answer.stages) do
    add(lines, '%-16s %s', stage.name, stage.outcome)
  end
  add(lines, '')
  add(lines, 'Tokens: %d read, %d of them remembered,', usage.promptTokens, usage.cachedTokens)
  add(lines, '        %d written', usage.completionTokens)
  add(lines, 'Time:   %d ms waiting, %d ms reading,', times.queue, times.prefill)
  add(lines, '        %d ms writing, %d ms in all', times.decode, times.total)
  add_repeats(lines, answer.repeats)
  return lines
end

--- What the model is doing, and what became of its suggestions.
---@param answer table the result of `fim-ls.status`
---@return string[]
function M.status(answer)
  local lines, counts = {}, answer.statistics
  add(lines, 'fim-ls: %s', require('fim_ls.status').words(answer))
  if answer.memoryBytes then
    add(lines, 'The model takes %d MB.', answer.memoryBytes / 1e6)
  end
  if answer.format then
    add(lines, 'It is asked as %s: %s', answer.format.name, answer.format.reason)
  end
  add(lines, 'Shown %d, accepted %d,', counts.shown, counts.accepted)
  add(lines, 'and %d characters in parts.', counts.acceptedInPart)
  return lines
end

return M
