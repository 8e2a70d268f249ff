---@brief
--- fim-ls writes the code at the cursor with a fill-in-the-middle model on your own machine.
--- Its settings are in docs/settings.md of the project; here they go under `settings['fim-ls']`.

---@type vim.lsp.Config
return {
  cmd = { 'fim-ls', 'serve', '--stdio' },
  root_markers = { '.fim-ls.toml', '.git' },
}
