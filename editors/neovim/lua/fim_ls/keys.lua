-- Keys in insert mode that do what they did before wherever there is no ghost text.

local M = {}

local ghost_text = require('fim_ls')

---@alias fim_ls.Action
---| 'accept' | 'accept_word' | 'accept_line' | 'next' | 'previous' | 'dismiss' | 'suggest'

---@type table<fim_ls.Action, string>
M.defaults = {
  accept = '<Tab>',
  accept_word = '<M-Right>',
  accept_line = '<M-C-Right>',
  next = '<M-]>',
  previous = '<M-[>',
  dismiss = '<C-]>',
  suggest = '<M-\\>',
}

local mapped = {} -- a key that was mapped once is not taken for its own former meaning

local function feed(keys)
  vim.api.nvim_feedkeys(vim.keycode(keys), 'im', false)
end

-- A name under which a key goes on doing what it does now.
local function keep_former(key)
  local name = ('<Plug>(fim-ls-without-%s)'):format(key:gsub('[<>]', ''))
  local former = vim.fn.maparg(key, 'i', false, true)
  if vim.tbl_isempty(former) or former.buffer == 1 then
    vim.keymap.set('i', name, key)
  else
    former.lhs, former.lhsraw, former.lhsrawalt = name, vim.keycode(name), nil
    vim.fn.mapset('i', false, former)
  end
  return name
end

local function map(action, key)
  if mapped[key] then
    return
  end
  mapped[key] = true
  local former = keep_former(key)
  vim.keymap.set('i', key, function()
    ghost_text[action](function()
      feed(former)
    end)
  end, { desc = 'fim-ls: ' .. action:gsub('_', ' ') })
end

--- Map keys to actions; false instead of a key leaves an action out.
---@param keys table<fim_ls.Action, string|false>
function M.map(keys)
  for action, key in pairs(vim.tbl_extend('force', M.defaults, keys)) do
    if key then
      map(action, key)
    end
  end
end

return M
