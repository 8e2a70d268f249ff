-- `:FimLs`

local M = {}

local PATIENCE_MS = 5000

local function say(text, level)
  vim.notify('fim-ls: ' .. text, level or vim.log.levels.INFO)
end

local function client_here()
  local client = vim.lsp.get_clients({ bufnr = 0, name = 'fim_ls' })[1]
  if not client then
    say('no server runs for this buffer; see :checkhealth fim_ls', vim.log.levels.WARN)
  end
  return client
end

-- Run a command of the server and do something with what it answers.
local function execute(command, arguments, answered)
  local client = client_here()
  if not client then
    return
  end
  local wanted = { title = command, command = command, arguments = arguments }
  client:exec_cmd(wanted, nil, function(failure, result)
    if failure then
      say(failure.message, vim.log.levels.ERROR)
    else
      answered(result)
    end
  end)
end

local subcommands = {}

function subcommands.status()
  execute('fim-ls.status', nil, function(answer)
    vim.api.nvim_echo({ { table.concat(require('fim_ls.explain').status(answer), '\n') } }, false, {})
  end)
end

function subcommands.toggle()
  execute('fim-ls.toggle', nil, function(answer)
    say('suggestions are ' .. (answer.enabled and 'on' or 'off'))
  end)
end

function subcommands.explain()
  execute('fim-ls.explain', { vim.uri_from_bufnr(0) }, function(answer)
    if not answer then
      return say('nothing was asked of this buffer yet')
    end
    local lines = require('fim_ls.explain').explanation(answer)
    vim.lsp.util.open_floating_preview(lines, 'text', { focus_id = 'fim_ls', border = 'rounded' })
  end)
end

function subcommands.log()
  vim.cmd.tabedit({ vim.fn.fnameescape(vim.lsp.log.get_filename()), magic = { file = false } })
  vim.cmd.normal({ 'G', bang = true })
end

function subcommands.restart()
  vim.lsp.enable('fim_ls', false)
  local is_gone = vim.wait(PATIENCE_MS, function()
    return #vim.lsp.get_clients({ name = 'fim_ls' }) == 0
  end)
  if not is_gone then
    say('the server does not end', vim.log.levels.WARN)
  end
  vim.lsp.enable('fim_ls')
end

function subcommands.suggest()
  require('fim_ls').suggest()
end

function subcommands.health()
  vim.cmd.checkhealth('fim_ls')
end

--- Run a subcommand, `status` if none is named.
---@param arguments string[]
function M.run(arguments)
  local subcommand = subcommands[arguments[1] or 'status']
  if subcommand then
    subcommand()
  else
    local names = table.concat(M.complete(''), ', ')
    say(('there is no %s; there are %s'):format(arguments[1], names), vim.log.levels.WARN)
  end
end

--- The subcommands that begin so.
---@param typed string
---@return string[]
function M.complete(typed)
  local names = vim.tbl_filter(function(name)
    return vim.startswith(name, typed)
  end, vim.tbl_keys(subcommands))
  table.sort(names)
  return names
end

return M
