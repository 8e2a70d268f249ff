vim9script

# The server's process, and what is said to it and by it.

const LOG_LINES = 500
const NOTICE_MS = 5000
const ABSENT: dict<any> = {state: 'off', model: '', device: '', message: 'not running'}

# What the server tells with fim-ls/status.
export var status: dict<any> = copy(ABSENT)

# The end of what it wrote to its log, and what was shown of it.
export var written: list<string> = []

var process: job
var is_ready = false
var has_started = false

# Show a sentence for a while, without a key press to go on, and over whatever mode Vim is in.
export def Say(sentence: string)
  Note($'fim-ls: {sentence}')
  popup_notification($'fim-ls: {sentence}', {time: NOTICE_MS})
enddef

export def IsReady(): bool
  return is_ready
enddef

# Start the server, the first time that this is called.
export def StartOnce()
  if !has_started
    Start()
  endif
enddef

export def Start()
  has_started = true
  if !executable(g:fim_ls_command[0])
    Say($'there is no command {g:fim_ls_command[0]}; see :help fim-ls-install')
    return
  endif
  process = job_start(g:fim_ls_command, {
    in_mode: 'lsp',
    out_mode: 'lsp',
    err_mode: 'nl',
    noblock: 1,
    out_cb: Hear,
    err_cb: (_, line) => Note(line),
    exit_cb: Ended,
  })
  Request('initialize', Introduction(), (_) => {
    is_ready = true
    Notify('initialized', {})
  })
enddef

export def Stop()
  const leaving = process
  process = null_job
  is_ready = false
  status = copy(ABSENT)
  if ch_status(leaving) == 'open'
    ch_sendexpr(leaving, {method: 'exit'})
    job_stop(leaving)
  endif
enddef

export def Notify(method: string, params: dict<any>)
  if ch_status(process) == 'open'
    ch_sendexpr(process, {method: method, params: params})
  endif
enddef

# Ask, and call back with the result, which is null for none and for an error. Returns the number of the request.
export def Request(method: string, params: dict<any>, Answered: func(any)): number
  if ch_status(process) != 'open'
    return 0
  endif
  const sent = ch_sendexpr(process, {method: method, params: params}, {
    callback: (_, message) => Answered(get(message, 'result', null)),
  })
  return get(sent, 'id', 0)
enddef

export def Cancel(request: number)
  Notify('$/cancelRequest', {id: request})
enddef

export def Execute(command: string, arguments: list<any>, Answered: func(any) = Ignore)
  Request('workspace/executeCommand', {command: command, arguments: arguments}, Answered)
enddef

def Ignore(_: any)
enddef

def Introduction(): dict<any>
  return {
    processId: getpid(),
    clientInfo: {name: 'Vim', version: $'{v:version / 100}.{v:version % 100}'},
    rootUri: null,
    initializationOptions: g:fim_ls_settings,
    capabilities: {
      # Vim counts columns in bytes.
      general: {positionEncodings: ['utf-8']},
      textDocument: {inlineCompletion: {dynamicRegistration: false}},
    },
  }
enddef

def Hear(_: channel, message: dict<any>)
  const method = get(message, 'method', '')
  if method == 'fim-ls/status'
    Take(message.params)
  elseif method == 'window/showMessage'
    Say(message.params.message)
  endif
enddef

def Take(news: dict<any>)
  status = news
  doautocmd <nomodeline> User FimLsStatus
enddef

def Note(line: string)
  written->add(line)
  if len(written) > LOG_LINES
    written->remove(0)
  endif
enddef

def Ended(ended: job, code: number)
  if ended != process
    return
  endif
  is_ready = false
  doautocmd <nomodeline> User FimLsEnded
  Take(copy(ABSENT))
  Say($'the server has ended with code {code}; :FimLs restart starts it again, :FimLs log may tell why')
enddef
