-- Draws a text as if it stood at the cursor already.

local M = {}

local namespace = vim.api.nvim_create_namespace('fim_ls')
local drawn_in ---@type integer? the buffer with the drawing

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

local function ghost(line)
  return { { line, 'FimLsGhost' } }
end

-- What is kept of the line moves to the end of the text, and blanks cover where it was.
local function cover_line(chunks, first_line, place, kept)
  local column = vim.fn.strdisplaywidth(place.before)
  local width = vim.fn.strdisplaywidth(place.after, column) - vim.fn.strdisplaywidth(first_line, column)
  table.insert(chunks[#chunks], { without_tabs(kept, column) })
  table.insert(chunks[1], { (' '):rep(width) })
end

-- The drawn lines and where they go: between the characters of the line, or over them.
local function layout(place, lines, replaces)
  local replaced, kept = place.after:sub(1, replaces), place.after:sub(replaces + 1)
  if #lines == 1 and vim.endswith(lines[1], replaced) then
    -- What is replaced comes again at the end, like a closing bracket: it stays on the screen.
    return { ghost(lines[1]:sub(1, #lines[1] - #replaced)) }, 'inline'
  end
  local chunks = vim.tbl_map(ghost, lines)
  if place.after == '' then
    return chunks, 'inline'
  end
  cover_line(chunks, lines[1], place, kept)
  return chunks, 'overlay'
end

--- Draw a text at a place, in the stead of some bytes behind it and of what was drawn before.
---@param place fim_ls.Place
---@param text string
---@param replaces integer
function M.draw(place, text, replaces)
  local lines = vim.split(text, '\n', { plain = true })
  lines[1] = without_tabs(lines[1], vim.fn.strdisplaywidth(place.before))
  local chunks, position = layout(place, lines, replaces)
  M.clear()
  drawn_in = place.buf
  vim.api.nvim_buf_set_extmark(place.buf, namespace, place.row, #place.before, {
    virt_text = chunks[1],
    virt_text_pos = position,
    virt_lines = vim.list_slice(chunks, 2),
    hl_mode = 'combine',
  })
end

--- Take the drawing away.
function M.clear()
  if drawn_in and vim.api.nvim_buf_is_valid(drawn_in) then
    vim.api.nvim_buf_clear_namespace(drawn_in, namespace, 0, -1)
  end
  drawn_in = nil
end

return M
