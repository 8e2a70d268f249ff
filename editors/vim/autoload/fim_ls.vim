vim9script

import autoload './fim_ls/documents.vim'
import autoload './fim_ls/ghost.vim'
import autoload './fim_ls/server.vim'

# What happens when the user types or presses a key.

const [INVOKED, AUTOMATIC] = [1, 2]
const NO_PLACE = [0, 0, 0, 0]

# The request that has no answer yet, 0 for none, and how many there were.
var pending = 0
var requests = 0

# For which text and cursor the server was asked last, and what it answered.
var asked_for = NO_PLACE
var candidates: list<dict<any>> = []
var chosen = 0

# The line with the suggestion that the user did not want.
var dismissed = ''

# Whether the model could answer when it was last heard of.
var could_answer = false

# -- events

# Start the server, so that its model is loaded when the first text is typed.
export def Prepare()
  if documents.IsText(bufnr())
    server.StartOnce()
  endif
enddef

export def Begin()
  Prepare()
  # The cursor is put in its place only after this event.
  timer_start(0, (_) => Ask(AUTOMATIC))
enddef

# The text, the cursor or the popup menu has changed: keep what is still right, or ask anew for a changed text.
export def Follow()
  if pumvisible()
    Retract()
  elseif !ghost.Redraw() && Place()[: 1] != asked_for[: 1]
    Ask(AUTOMATIC)
  endif
enddef

export def End()
  Retract()
  asked_for = NO_PLACE
enddef

# An undo brings lines back with what was drawn in them.
export def Tidy()
  ghost.Erase(bufnr())
enddef

export def Close(buffer: number)
  documents.Close(buffer)
enddef

export def Leave()
  server.Stop()
enddef

# The server is gone, and with it what it knew.
export def Forget()
  documents.ForgetAll()
  Retract()
enddef

# A model that has just been loaded is asked for what was asked before, in vain.
export def TakeStatus()
  const answered = could_answer
  could_answer = CanAnswer()
  if answered && could_answer
    return
  elseif could_answer && pending == 0
    Ask(AUTOMATIC)
  endif
  redrawstatus!
enddef

# -- keys: each gives what is to be typed instead of the key, and the key itself where nothing is suggested

export def Accept(otherwise: string): string
  return Taking('all', otherwise)
enddef

export def AcceptWord(otherwise: string): string
  return Taking('word', otherwise)
enddef

export def AcceptLine(otherwise: string): string
  return Taking('line', otherwise)
enddef

export def Dismiss(otherwise: string): string
  return IsShown() ? "\<Cmd>call fim_ls#Reject()\<CR>" : otherwise
enddef

export def Next(otherwise: string): string
  return pumvisible() ? otherwise : "\<Cmd>call fim_ls#Choose(1)\<CR>"
enddef

export def Previous(otherwise: string): string
  return pumvisible() ? otherwise : "\<Cmd>call fim_ls#Choose(-1)\<CR>"
enddef

def Taking(part: string, otherwise: string): string
  # What is taken can be undone at once.
  return IsShown() ? $"\<C-g>u\<Cmd>call fim_ls#Take('{part}')\<CR>" : otherwise
enddef

def IsShown(): bool
  return !pumvisible() && ghost.Rest() != ''
enddef

# Insert a part of the suggestion.
export def Take(part: string)
  const item = ghost.Item()
  if ghost.Insert(part)
    ghost.Clear()
    if has_key(item, 'command')
      server.Execute(item.command.command, get(item.command, 'arguments', []))
    endif
  else
    ghost.Redraw()
    server.Notify('textDocument/didPartiallyAcceptCompletion', {
      item: item,
      acceptedLength: ghost.TypedLength(),
    })
  endif
enddef

export def Reject()
  dismissed = ghost.Outcome()
  Retract()
enddef

# Show another candidate; typing gets only one, so that the first time the server is asked for more.
export def Choose(step: number)
  if len(candidates) > 1 && ghost.Redraw()
    chosen = (chosen + step + len(candidates)) % len(candidates)
    Show()
  else
    dismissed = ''
    Ask(INVOKED)
  endif
enddef

# -- asking

# Document and cursor.
def Place(): list<number>
  return [bufnr(), b:changedtick, line('.'), col('.')]
enddef

# Take away what is shown, and what may be on its way.
def Retract()
  ghost.Clear()
  candidates = []
  if pending != 0
    server.Cancel(pending)
    pending = 0
  endif
enddef

def Ask(trigger: number)
  if mode() !~ '^[iR]' || pumvisible() || !documents.IsText(bufnr()) || !server.IsReady()
    return
  endif
  const shown = trigger == INVOKED ? ghost.Rest() : ''
  Retract()
  documents.Sync(bufnr())
  const place = Place()
  asked_for = place
  requests += 1
  const request = requests
  pending = server.Request('textDocument/inlineCompletion', {
    textDocument: {uri: documents.Uri(bufnr())},
    position: {line: place[2] - 1, character: place[3] - 1},
    context: {triggerKind: trigger},
  }, (result) => Answer(request, result, shown))
enddef

# Show the first that is answered, or the second where the first is what is shown already.
def Answer(request: number, result: any, shown: string)
  if request != requests
    return
  endif
  pending = 0
  if type(result) != v:t_dict || asked_for != Place() || mode() !~ '^[iR]' || pumvisible()
    return
  endif
  candidates = result.items
  chosen = len(candidates) > 1 && candidates[0].insertText == shown ? 1 : 0
  Show()
enddef

def Show()
  if empty(candidates) || !ghost.Show(candidates[chosen])
    return
  elseif ghost.Outcome() == dismissed
    ghost.Clear()
    return
  endif
  redraw
  server.Notify('textDocument/didShowCompletion', {item: candidates[chosen]})
enddef

# -- :FimLs and the status line

export def Subcommands(typed: string, _: string, _: number): list<string>
  return keys(SUBCOMMANDS)->filter((_, name) => stridx(name, typed) == 0)->sort()
enddef

export def Run(name: string)
  const Subcommand = get(SUBCOMMANDS, name ?? 'status', null_function)
  if Subcommand == null_function
    server.Say($'there is no {name}; there are ' .. Subcommands('', '', 0)->join(', '))
  else
    Subcommand()
  endif
enddef

# For 'statusline': why nothing is suggested, and nothing where all is well.
export def Status(): string
  return CanAnswer() ? '' : $'fim-ls: {server.status.state}'
enddef

def CanAnswer(): bool
  return index(['ready', 'busy'], server.status.state) >= 0
enddef

def Restart()
  server.Stop()
  Forget()
  server.Start()
enddef

def ShowStatus()
  const told = server.status
  echo 'fim-ls: ' .. [told.state, told.model, told.device, told.message]->filter((_, each) => each != '')->join(', ')
enddef

def ShowLog()
  new
  setlocal buftype=nofile bufhidden=wipe noswapfile
  setline(1, server.written)
  normal! G
enddef

def Toggle()
  server.Execute('fim-ls.toggle', [], (result) => {
    server.Say('suggestions are ' .. (type(result) == v:t_dict && result.enabled ? 'on' : 'off'))
  })
enddef

const SUBCOMMANDS: dict<func()> = {
  log: ShowLog,
  restart: Restart,
  status: ShowStatus,
  toggle: Toggle,
}
