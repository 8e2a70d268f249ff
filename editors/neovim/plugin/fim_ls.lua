if vim.g.loaded_fim_ls then
  return
end
vim.g.loaded_fim_ls = true

vim.api.nvim_set_hl(0, 'FimLsGhost', { link = 'Comment', default = true })

vim.lsp.handlers['fim-ls/status'] = function(_, status, context)
  require('fim_ls.status').take(context.client_id, status)
end

local group = vim.api.nvim_create_augroup('fim_ls_status', {})

-- Events of other servers concern nobody here.
local function on(event, callback)
  vim.api.nvim_create_autocmd(event, {
    group = group,
    callback = function(arguments)
      local client = vim.lsp.get_client_by_id(arguments.data.client_id)
      if client and client.name == 'fim_ls' then
        callback(client, arguments)
      end
    end,
  })
end

on('LspProgress', function(client, arguments)
  require('fim_ls.status').take_progress(client.id, arguments.data.params.value)
end)

on('LspDetach', function()
  vim.schedule(require('fim_ls.status').changed) -- the client is still there
end)

vim.api.nvim_create_user_command('FimLs', function(arguments)
  require('fim_ls.commands').run(arguments.fargs)
end, {
  nargs = '?',
  desc = 'fim-ls: status, switches and explanations',
  complete = function(typed)
    return require('fim_ls.commands').complete(typed)
  end,
})
