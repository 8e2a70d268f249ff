vim9script

import autoload './server.vim'

# Which buffers the server knows, and in which state.

const LANGUAGES = {
  cs: 'csharp',
  dosbatch: 'bat',
  make: 'makefile',
  ps1: 'powershell',
  sh: 'shellscript',
  zsh: 'shellscript',
}

# By number of the buffer: the URI and the language that it was opened with, and its b:changedtick when last told.
var open: dict<dict<any>> = {}

# Whether it is a text that somebody writes, rather than a terminal, a prompt or a list.
export def IsText(buffer: number): bool
  return getbufvar(buffer, '&buftype') == '' && getbufvar(buffer, '&modifiable') && &encoding == 'utf-8'
enddef

# Let the server know the buffer as it is now.
export def Sync(buffer: number)
  const tick = getbufvar(buffer, 'changedtick')
  const known = get(open, buffer, {})
  if !empty(known) && (known.uri != Uri(buffer) || known.language != Language(buffer))
    Close(buffer)
  endif
  if !has_key(open, buffer)
    Open(buffer, tick)
  elseif open[buffer].tick != tick
    open[buffer].tick = tick
    server.Notify('textDocument/didChange', {
      textDocument: {uri: open[buffer].uri, version: tick},
      contentChanges: [{text: Text(buffer)}],
    })
  endif
enddef

export def Close(buffer: number)
  if has_key(open, buffer)
    server.Notify('textDocument/didClose', {textDocument: {uri: open[buffer].uri}})
    remove(open, buffer)
  endif
enddef

# The server that knew them is gone.
export def ForgetAll()
  open = {}
enddef

export def Uri(buffer: number): string
  const name = bufname(buffer)
  return name == '' ? $'untitled:{buffer}' : 'file://' .. Quoted(fnamemodify(name, ':p'))
enddef

def Open(buffer: number, tick: number)
  open[buffer] = {uri: Uri(buffer), language: Language(buffer), tick: tick}
  server.Notify('textDocument/didOpen', {
    textDocument: {
      uri: open[buffer].uri,
      languageId: open[buffer].language,
      version: tick,
      text: Text(buffer),
    },
  })
enddef

def Language(buffer: number): string
  const filetype = getbufvar(buffer, '&filetype')
  return get(LANGUAGES, filetype, filetype == '' ? 'plaintext' : filetype)
enddef

# Lines as Vim has them: whatever ends them in the file is put back when it is written.
def Text(buffer: number): string
  return getbufline(buffer, 1, '$')->join("\n") .. (getbufvar(buffer, '&endofline') ? "\n" : '')
enddef

def Quoted(path: string): string
  return path->substitute('[^A-Za-z0-9/._~-]', (found) => BytesOf(found[0]), 'g')
enddef

def BytesOf(character: string): string
  return range(len(character))
    ->map((_, place) => printf('%%%02X', char2nr(strpart(character, place, 1))))
    ->join('')
enddef
