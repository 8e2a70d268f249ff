-- What the server tells of its model, by client: `fim-ls/status` and the progress of loading.

local M = {}

---@class fim_ls.Status
---@field state 'loading'|'ready'|'busy'|'off'|'error'
---@field model string
---@field device string
---@field message string
---@field percentage? integer of loading

local by_client = {} ---@type table<integer, fim_ls.Status>

--- Let statuslines be drawn anew.
function M.changed()
  vim.api.nvim_exec_autocmds('User', { pattern = 'FimLsStatus', modeline = false })
  vim.cmd.redrawstatus({ bang = true })
end

--- Take in a `fim-ls/status` notification.
---@param client_id integer
---@param status fim_ls.Status
function M.take(client_id, status)
  by_client[client_id] = status
  M.changed()
end

--- Take in work-done progress, which tells how far loading has come.
---@param client_id integer
---@param value { percentage?: integer }
function M.take_progress(client_id, value)
  local status = by_client[client_id]
  if status and status.state == 'loading' and value.percentage then
    status.percentage = value.percentage
    M.changed()
  end
end

--- What was told last to a client.
---@param client_id integer
---@return fim_ls.Status?
function M.told(client_id)
  return by_client[client_id]
end

--- What was told last to the client of a buffer.
---@param buf integer
---@return fim_ls.Status?
function M.of(buf)
  local client = vim.lsp.get_clients({ bufnr = buf, name = 'fim_ls' })[1]
  return client and by_client[client.id]
end

local WORDS = {
  loading = function(status)
    return 'loading' .. (status.percentage and (' %d%%'):format(status.percentage) or '')
  end,
  ready = function(status)
    return ('%s on %s'):format(status.model, status.device)
  end,
  error = function(status)
    return status.message
  end,
}

--- A status in a few words.
---@param status fim_ls.Status
---@return string
function M.words(status)
  local words = WORDS[status.state]
  return words and words(status) or status.state
end

--- The status of a buffer's model for a statusline; empty without a server.
---@param buf integer
---@return string
function M.line(buf)
  local status = M.of(buf)
  return status and 'fim-ls: ' .. M.words(status) or ''
end

return M
