vim9script

# The suggestion at the cursor: what is left of it while the user types along, how it is drawn, how it is taken.

const TYPE = 'FimLsGhost'
const COVERED = 'FimLsCovered'
const PARTS = {
  word: '^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)',
  line: '^\n\?[^\n]*',
}

# Nothing, or where it begins (buffer, line, column in bytes from 0), its text, the item of the server, the line before
# and after it, and how many bytes of what stands after it are replaced.
var suggestion: dict<any> = {}

# What hides the rest of the line, 0 for nothing.
var cover = 0

if empty(prop_type_get(TYPE))
  prop_type_add(TYPE, {highlight: TYPE})
  prop_type_add(COVERED, {})
endif

# Make an item of the server, for the cursor, the suggestion. False if it does not fit what stands there.
export def Show(item: dict<any>): bool
  Clear()
  const line = getline('.')
  const start = item.range.start.character
  suggestion = {
    buffer: bufnr(),
    line: line('.'),
    column: start,
    text: item.insertText->substitute('\r', '', 'g'),
    item: item,
    before: strpart(line, 0, start),
    after: strpart(line, col('.') - 1),
    replaced: item.range.end.character - (col('.') - 1),
  }
  return Redraw()
enddef

# Draw what is left of the suggestion. False if nothing is, and then it is forgotten.
export def Redraw(): bool
  const rest = Rest()
  if rest == ''
    Clear()
    return false
  endif
  Erase(suggestion.buffer)
  Draw(split(rest, "\n", true))
  return true
enddef

export def Clear()
  if !empty(suggestion)
    Erase(suggestion.buffer)
    suggestion = {}
  endif
enddef

# Take away what is drawn in a buffer.
export def Erase(buffer: number)
  popup_close(cover)
  if bufloaded(buffer)
    prop_remove({type: TYPE, bufnr: buffer, all: true})
    prop_remove({type: COVERED, bufnr: buffer, all: true})
  endif
enddef

# What is still to be typed of the suggestion; empty if there is none for this place.
export def Rest(): string
  if empty(suggestion) || suggestion.buffer != bufnr() || line('.') < suggestion.line
    return ''
  endif
  if strpart(getline(suggestion.line), 0, suggestion.column) != suggestion.before
      || strpart(getline('.'), col('.') - 1) != suggestion.after
    return ''
  endif
  const typed = Typed()
  return stridx(suggestion.text, typed) == 0 ? strpart(suggestion.text, len(typed)) : ''
enddef

export def Item(): dict<any>
  return suggestion.item
enddef

# The line as it would be, which is how a dismissed suggestion is known again when it is longer or shorter.
export def Outcome(): string
  return suggestion.before .. suggestion.text
enddef

# How much of the suggestion stands there, in UTF-16 units.
export def TypedLength(): number
  const characters = Typed()->split('\zs')
  return len(characters) + copy(characters)->filter((_, character) => char2nr(character) > 0xFFFF)->len()
enddef

# Insert the next word or line, or all. True if that was the end of it.
export def Insert(part: string): bool
  const rest = Rest()
  const taken = part == 'all' ? rest : matchstr(rest, PARTS[part])
  const is_all = taken == rest
  Put(taken, is_all ? suggestion.replaced : 0)
  return is_all
enddef

def Put(text: string, replaced: number)
  const [line, place] = [getline('.'), col('.') - 1]
  var lines = split(text, "\n", true)
  lines[0] = strpart(line, 0, place) .. lines[0]
  const cursor = [line('.') + len(lines) - 1, len(lines[-1]) + 1]
  lines[-1] ..= strpart(line, place + replaced)
  setline('.', lines[0])
  append('.', lines[1 :])
  cursor(cursor)
enddef

# What stands between the place of the suggestion and the cursor.
def Typed(): string
  var lines = getline(suggestion.line, '.')
  lines[-1] = strpart(lines[-1], 0, col('.') - 1)
  lines[0] = strpart(lines[0], suggestion.column)
  return lines->join("\n")
enddef

def Draw(lines: list<string>)
  if len(lines) == 1
    DrawAround(lines[0], strpart(suggestion.after, 0, suggestion.replaced))
    return
  endif
  DrawAt(col('.'), lines[0])
  for line in lines[1 : -2]
    DrawBelow(line)
  endfor
  DrawBelow(lines[-1] .. strpart(suggestion.after, suggestion.replaced))
  CoverRest(strdisplaywidth(lines[0], virtcol('.') - 1))
enddef

# Hide the rest of the line, which is drawn at the end of the text: Vim cannot draw over what stands there. What does
# not fit into the window stays as it is.
def CoverRest(shift: number)
  const after = suggestion.after
  const pane = getwininfo(win_getid())[0]
  const room = pane.wincol + pane.width - screenpos(0, line('.'), col('.')).col - shift
  const width = min([strdisplaywidth(after, virtcol('.') - 1 + shift), room])
  if width <= 0
    return
  endif
  prop_add(line('.'), col('.'), {type: COVERED})
  cover = popup_create(repeat(' ', width), {
    textprop: COVERED,
    line: -1,
    fixed: true,
    wrap: false,
    highlight: 'Normal',
    zindex: 1,
  })
enddef

# Draw a text in pieces around what it replaces: of `a, b)` before `)` all but the bracket.
def DrawAround(text: string, replaced: string)
  var end = len(text)
  for place in range(len(replaced) - 1, 0, -1)
    const found = strpart(text, 0, end)->strridx(strpart(replaced, place, 1))
    if found < 0
      break
    endif
    DrawAt(col('.') + place + 1, strpart(text, found + 1, end - found - 1))
    end = found
  endfor
  DrawAt(col('.'), strpart(text, 0, end))
enddef

def DrawAt(column: number, text: string)
  if text != ''
    prop_add(line('.'), column, {type: TYPE, text: WithoutTabs(text, virtcol('.') - 1)})
  endif
enddef

def DrawBelow(text: string)
  # A line without text would not be drawn.
  prop_add(line('.'), 0, {type: TYPE, text: WithoutTabs(text, 0) ?? ' ', text_align: 'below'})
enddef

# Vim draws a tab in such a text as ^I.
def WithoutTabs(text: string, column: number): string
  var pieces = split(text, "\t", true)
  var drawn = pieces->remove(0)
  for piece in pieces
    drawn ..= repeat(' ', &tabstop - (column + strdisplaywidth(drawn)) % &tabstop) .. piece
  endfor
  return drawn
enddef
