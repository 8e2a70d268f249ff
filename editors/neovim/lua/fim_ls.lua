-- Ghost text for Neovim 0.11, which can speak textDocument/inlineCompletion but draws nothing.
-- Neovim 0.12 has this built in; `enable` and `get` are named as in its vim.lsp.inline_completion.

local M = {}

local METHOD = 'textDocument/inlineCompletion'
local AUTOMATIC = 2 -- InlineCompletionTriggerKind: typing asks, not a key made for it
local namespace = vim.api.nvim_create_namespace('fim_ls')

local asked -- where the cursor stood at the last request
local pending -- client and id of that request, while it has no answer
local shown -- what is drawn: a place with the text, how many bytes after it are replaced, and who said so

-- The cursor: row from 0, the line before and after it, and the buffer's version.
local function here()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  local buf, line = vim.api.nvim_get_current_buf(), vim.api.nvim_get_current_line()
  local tick = vim.api.nvim_buf_get_changedtick(buf)
  return { buf = buf, row = row - 1, before = line:sub(1, col), after = line:sub(col + 1), tick = tick }
end

local function dismiss()
  if pending then
    pending.client:cancel_request(pending.id)
  end
  if shown then
    vim.api.nvim_buf_clear_namespace(shown.buf, namespace, 0, -1)
  end
  asked, pending, shown = nil, nil, nil
end

-- Virtual text within a line shows a tab as ^I: spell it in blanks, from its screen column on.
local function without_tabs(text, column)
  local head, rest = text:match('^(.-)\t(.*)$')
  if not head then
    return text
  end
  local width = vim.fn.strdisplaywidth(head .. '\t', column)
  local blanks = (' '):rep(width - vim.fn.strdisplaywidth(head, column))
  return head .. blanks .. without_tabs(rest, column + width)
end

local function draw(suggestion)
  shown = suggestion
  local column = vim.fn.strdisplaywidth(shown.before)
  local replaced, kept = shown.after:sub(1, shown.replaces), shown.after:sub(shown.replaces + 1)
  local lines, position = vim.split(shown.text, '\n'), 'inline'
  lines[1] = without_tabs(lines[1], column)
  local is_in_line = #lines == 1 and vim.endswith(lines[1], replaced)
  if is_in_line then
    -- What is replaced comes again at the end, like a closing bracket: it stays on the screen.
    lines[1] = lines[1]:sub(1, #lines[1] - #replaced)
  end
  local chunks = vim.tbl_map(function(line)
    return { { line, 'FimLsGhost' } }
  end, lines)
  if not is_in_line and shown.after ~= '' then
    -- What is kept of the line moves to the end of the text, and blanks cover where it was.
    position = 'overlay'
    local width = vim.fn.strdisplaywidth(shown.after, column) - vim.fn.strdisplaywidth(lines[1], column)
    table.insert(chunks[#chunks], { without_tabs(kept, column) })
    table.insert(chunks[1], { (' '):rep(width) })
  end
  vim.api.nvim_buf_set_extmark(shown.buf, namespace, shown.row, #shown.before, {
    id = 1,
    virt_text = chunks[1],
    virt_text_pos = position,
    virt_lines = vim.list_slice(chunks, 2),
    hl_mode = 'combine',
  })
end

-- What is left of the drawn suggestion at a place, if what was typed since is how it begins. While
-- keys come faster than they are handled, Neovim raises no events, and what is drawn lags behind.
local function rest_of_shown(place)
  if not shown or shown.buf ~= place.buf or shown.row ~= place.row or shown.after ~= place.after then
    return nil
  end
  local whole, typed = shown.before .. shown.text, #place.before - #shown.before
  if typed < 0 or typed >= #shown.text or not vim.startswith(whole, place.before) then
    return nil
  end
  return vim.tbl_extend('force', shown, { before = place.before, text = shown.text:sub(typed + 1) })
end

local function answer(client, place, item)
  if not item then
    return dismiss()
  end
  local line = place.before .. place.after
  local last = vim.str_byteindex(line, client.offset_encoding, item.range['end'].character, false)
  draw(vim.tbl_extend('error', place, {
    text = item.insertText,
    replaces = last - #place.before,
    command = item.command,
    client = client,
  }))
end

local function ask()
  local place = here()
  if vim.deep_equal(place, asked) then
    return -- one key raises several events
  end
  local rest = rest_of_shown(place)
  dismiss()
  if rest then
    draw(rest) -- until the answer is here
  end
  local client = vim.lsp.get_clients({ bufnr = place.buf, name = 'fim_ls', method = METHOD })[1]
  if not client then
    return
  end
  asked = place
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = AUTOMATIC }
  local is_sent, id = client:request(METHOD, params, function(_, result)
    if asked == place then -- a newer request has its own answer
      pending = nil
      answer(client, place, result and result.items[1])
    end
  end, place.buf)
  pending = is_sent and { client = client, id = id } or nil
end

local function insert_shown()
  local taken = rest_of_shown(here())
  if not taken then
    return -- something was typed meanwhile
  end
  dismiss()
  local lines, row, col = vim.split(taken.text, '\n'), taken.row, #taken.before
  vim.api.nvim_buf_set_text(taken.buf, row, col, row, col + taken.replaces, lines)
  vim.api.nvim_win_set_cursor(0, { row + #lines, #lines[#lines] + (#lines == 1 and col or 0) })
  if taken.command then
    taken.client:exec_cmd(taken.command, { bufnr = taken.buf })
  end
end

--- Insert the drawn suggestion; false if there is none. Made for mappings with `expr = true`.
function M.get()
  if not rest_of_shown(here()) then
    return false
  end
  vim.schedule(insert_shown) -- while a mapping is evaluated no text may be changed
  return true
end

--- Draw suggestions from now on; call it before the server is enabled.
function M.enable()
  local ghost_text = { inlineCompletion = { dynamicRegistration = false } }
  vim.lsp.config('fim_ls', { capabilities = { textDocument = ghost_text } })
  vim.api.nvim_set_hl(0, 'FimLsGhost', { link = 'Comment', default = true })
  local group = vim.api.nvim_create_augroup('fim_ls', {})
  local function on(events, callback)
    vim.api.nvim_create_autocmd(events, { group = group, callback = callback })
  end
  on({ 'InsertEnter', 'CursorMovedI', 'TextChangedI', 'TextChangedP' }, ask)
  on({ 'InsertLeave', 'BufLeave' }, dismiss)
end

return M
