-- Ghost text of our own, for Neovim 0.11, which can speak textDocument/inlineCompletion but draws
-- nothing. What is typed along a suggestion asks for no other one.

local suggestions = require('fim_ls.suggestion')
local drawing = require('fim_ls.drawing')
local parts = require('fim_ls.parts')
local take = require('fim_ls.take')

local M = {}

local METHOD = 'textDocument/inlineCompletion'
local INVOKED, AUTOMATIC = 1, 2 -- InlineCompletionTriggerKind: a key asks, or typing does

---@class fim_ls.Offer
---@field candidates fim_ls.Suggestion[] never empty
---@field index integer the one that is drawn
---@field is_complete boolean a key asked for all there are

local offer ---@type fim_ls.Offer?
local refused ---@type fim_ls.Suggestion? what was dismissed since insert mode began
local pending ---@type { client: vim.lsp.Client, id: integer? }? the request without an answer
local seen ---@type fim_ls.Place? where the cursor was at the last event

-- No popup menu is open, and no key of a longer command is awaited.
local function is_inserting()
  return vim.api.nvim_get_mode().mode == 'i'
end

local function shown()
  return offer and offer.candidates[offer.index]
end

-- What is left of the drawn suggestion at a place.
local function left_at(place)
  return offer and suggestions.left(shown(), place)
end

local function cancel()
  if pending and pending.id then
    pending.client:cancel_request(pending.id)
  end
  pending = nil
end

local function forget()
  cancel()
  drawing.clear()
  offer = nil
end

local function tell_shown(suggestion)
  if not suggestion.is_told then
    suggestion.is_told = true
    suggestion.client:notify('textDocument/didShowCompletion', { item = suggestion.item })
  end
end

-- Draw what is left of the suggestion at a place; false if it does not fit there.
local function show(place)
  local left = left_at(place)
  if not left then
    return false
  end
  drawing.draw(place, left, shown().replaces)
  tell_shown(shown())
  return true
end

-- A dismissed text does not come back, however far one types along it.
local function is_refused(suggestion)
  return refused ~= nil and suggestions.left(refused, suggestion.place) == suggestion.text
end

-- Where the candidate stands that is drawn already, 0 for nowhere.
local function index_of_shown(candidates, place)
  local left = left_at(place)
  for index, candidate in ipairs(candidates) do
    if candidate.text == left then
      return index
    end
  end
  return 0
end

local function moved(index, step, count)
  return (index + step - 1) % count + 1
end

local function answer(candidates, place, step)
  candidates = vim.tbl_filter(function(candidate)
    return not is_refused(candidate)
  end, candidates)
  if #candidates == 0 then
    return -- what is drawn already, if a key asked for more, is all there is
  end
  local index = step and moved(index_of_shown(candidates, place), step, #candidates) or 1
  offer = { candidates = candidates, index = index, is_complete = step ~= nil }
  if is_inserting() then
    show(suggestions.here())
  end
end

local function candidates_of(client, place, result)
  return vim.tbl_map(function(item)
    return suggestions.of(client, place, item)
  end, result and result.items or {})
end

-- Ask for suggestions; with a step for all there are, to draw the one so far from that of now.
local function ask(place, step)
  cancel()
  local client = vim.lsp.get_clients({ bufnr = place.buf, name = 'fim_ls', method = METHOD })[1]
  if not client then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = step and INVOKED or AUTOMATIC }
  local request = { client = client }
  pending = request
  local _
  _, request.id = client:request(METHOD, params, function(_, result)
    if pending == request then -- a newer one has its own answer
      pending = nil
      answer(candidates_of(client, place, result), place, step)
    end
  end, place.buf)
end

-- The cursor may have moved: what is left of the suggestion, or else another one.
local function follow()
  local place = suggestions.here()
  if not is_inserting() or vim.deep_equal(place, seen) then
    return -- one key raises several events
  end
  cancel()
  seen = place
  if not show(place) then
    forget()
    ask(place)
  end
end

-- One may type before the server is there.
local function attached()
  seen = nil
  follow()
end

local function mode_changed()
  if vim.v.event.new_mode == 'i' then
    follow()
  elseif vim.startswith(vim.v.event.new_mode, 'i') then
    drawing.clear() -- under a popup menu it would only be in the way
    seen = nil
  else
    forget()
    seen, refused = nil, nil
  end
end

--- Insert a part of what is drawn; where nothing is, do something else.
---@param part fim_ls.Part
---@param otherwise? fun()
---@return boolean is_taken
function M.take(part, otherwise)
  local place = suggestions.here()
  local left = is_inserting() and left_at(place)
  if not left then
    if otherwise then
      otherwise()
    end
    return false
  end
  if take(shown(), place, left, part) then
    forget()
  else
    show(suggestions.here())
  end
  return true
end

--- Insert what is drawn, right after the mapping was evaluated: while it is, no text may change.
---@return boolean is_there
function M.get()
  if not is_inserting() or not left_at(suggestions.here()) then
    return false
  end
  vim.schedule(function()
    M.take(parts.all)
  end)
  return true
end

--- Draw another candidate.
---@param step integer 1 for the next, -1 for the previous
---@return boolean is_there there is one drawn to begin with
function M.select(step)
  local place = suggestions.here()
  if not is_inserting() or not left_at(place) then
    return false
  end
  if offer.is_complete then
    offer.index = moved(offer.index, step, #offer.candidates)
    show(place)
  else
    ask(place, step)
  end
  return true
end

--- Take what is drawn away. It does not come back unless it is asked for.
---@return boolean is_gone
function M.dismiss()
  local place = suggestions.here()
  if not is_inserting() or not left_at(place) then
    return false
  end
  refused = shown()
  forget()
  seen = place
  return true
end

--- Ask at once, also where something was dismissed.
function M.suggest()
  refused = nil
  ask(suggestions.here(), 1)
end

--- Draw suggestions from now on; call it before the server is enabled.
function M.enable()
  local ghost_text = { inlineCompletion = { dynamicRegistration = false } }
  vim.lsp.config('fim_ls', { capabilities = { textDocument = ghost_text } })
  local group = vim.api.nvim_create_augroup('fim_ls', {})
  local function on(events, pattern, callback)
    vim.api.nvim_create_autocmd(events, { group = group, pattern = pattern, callback = callback })
  end
  on({ 'CursorMovedI', 'TextChangedI' }, '*', follow)
  on('ModeChanged', { '*:i*', 'i*:*' }, mode_changed)
  on('LspAttach', '*', attached)
  on({ 'BufLeave', 'LspDetach' }, '*', forget)
end

return M
