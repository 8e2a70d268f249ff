" Ghost text from fim-ls in Vim 9; see :help fim-ls.
if !has('vim9script') || !has('patch-9.0.0438') || !has('job') || !has('channel') || !has('textprop')
  finish
endif
vim9script

if exists('g:loaded_fim_ls')
  finish
endif
g:loaded_fim_ls = true

g:fim_ls_command = get(g:, 'fim_ls_command', ['fim-ls', 'serve', '--stdio'])
g:fim_ls_settings = get(g:, 'fim_ls_settings', {})
g:fim_ls_keys = get(g:, 'fim_ls_keys', true)

highlight default link FimLsGhost Comment

augroup FimLs
  autocmd!
  autocmd FileType,BufEnter * fim_ls#Prepare()
  autocmd InsertEnter * fim_ls#Begin()
  autocmd TextChangedI,TextChangedP,CursorMovedI,CompleteChanged * fim_ls#Follow()
  autocmd InsertLeave * fim_ls#End()
  autocmd TextChanged * fim_ls#Tidy()
  autocmd BufUnload * fim_ls#Close(str2nr(expand('<abuf>')))
  autocmd VimLeavePre * fim_ls#Leave()
  autocmd User FimLsStatus fim_ls#TakeStatus()
  autocmd User FimLsEnded fim_ls#Forget()
augroup END

command -nargs=? -complete=customlist,fim_ls#Subcommands FimLs fim_ls#Run(<q-args>)

# A key that the user has mapped is left alone.
def Map(key: string, function: string)
  if maparg(key, 'i') == ''
    const otherwise = substitute(key, '^<', '\\<lt>', '')
    execute $'inoremap <silent> <expr> {key} fim_ls#{function}("{otherwise}")'
  endif
enddef

if g:fim_ls_keys
  Map('<Tab>', 'Accept')
  Map('<M-Right>', 'AcceptWord')
  Map('<M-C-Right>', 'AcceptLine')
  Map('<M-Down>', 'Next')
  Map('<M-Up>', 'Previous')
  Map('<C-]>', 'Dismiss')
endif
