-- `:checkhealth fim_ls`: each way in which there could be no ghost text.

local M = {}

local health = vim.health

local function check_neovim()
  health.start('Neovim')
  if vim.fn.has('nvim-0.11') == 0 then
    return health.error('Neovim 0.11 or newer is needed')
  end
  local who = require('fim_ls').is_builtin() and 'Neovim' or 'this plugin'
  health.ok(('%s, ghost text is drawn by %s'):format(tostring(vim.version()), who))
end

local function check_command()
  health.start('The command')
  local command = (vim.lsp.config.fim_ls or {}).cmd
  if type(command) ~= 'table' then
    return health.info('the server is not started by a command')
  end
  if vim.fn.executable(command[1]) == 0 then
    return health.error(command[1] .. ' is not to be found', {
      'Install it with `pipx install fim-ls`, or give its path as `cmd` to `vim.lsp.config`.',
    })
  end
  local said = vim.system({ command[1], '--version' }, { text = true }):wait()
  if said.code ~= 0 then
    return health.error(command[1] .. ' does not run', { vim.trim(said.stderr) })
  end
  health.ok(vim.trim(said.stdout) .. ', ' .. vim.fn.exepath(command[1]))
end

local function check_client(client)
  local status = require('fim_ls.status').told(client.id)
  local buffers = vim.tbl_count(client.attached_buffers)
  if not status then
    health.info(('client %d has not told anything yet'):format(client.id))
  elseif status.state == 'error' then
    health.error(status.message, { '`fim-ls doctor` looks closer, and `:FimLs log` has all the rest.' })
  elseif status.state == 'off' then
    health.warn('suggestions are switched off', { '`:FimLs toggle` switches them on.' })
  else
    local words = require('fim_ls.status').words(status)
    health.ok(('client %d for %d buffers: %s'):format(client.id, buffers, words))
  end
end

local function check_server()
  health.start('The server')
  if not vim.lsp.is_enabled('fim_ls') then
    return health.error('it is not enabled', { "`require('fim_ls').setup()` or `vim.lsp.enable('fim_ls')`" })
  end
  local clients = vim.lsp.get_clients({ name = 'fim_ls' })
  if #clients == 0 then
    health.warn('it does not run', { 'Open a file; if that does not start it, see `:FimLs log`.' })
  end
  vim.iter(clients):each(check_client)
end

local function check_keys()
  health.start('Keys')
  local rows = vim.tbl_filter(function(mapping)
    return vim.startswith(mapping.desc or '', 'fim-ls: ')
  end, vim.api.nvim_get_keymap('i'))
  for _, mapping in ipairs(rows) do
    health.ok(('%s: %s'):format(mapping.lhs, mapping.desc:sub(#'fim-ls: ' + 1)))
  end
  if #rows == 0 then
    health.info('none by this plugin; see `:help fim_ls.setup()`')
  end
end

--- Report what stands in the way of ghost text.
function M.check()
  check_neovim()
  check_command()
  check_server()
  check_keys()
end

return M
