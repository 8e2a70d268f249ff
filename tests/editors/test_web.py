"""What a user sees who runs ``fim-ls demo --web``, in a real browser."""

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE, BUILT = ROOT / "editors" / "web", ROOT / "lsp_server" / "cli" / "web.html"
PATIENCE_MS = 60_000
MOST_BYTES = 700_000
WORD, LINE = "Control+ArrowRight", "Control+Alt+ArrowRight"

pytestmark = pytest.mark.editor

ADD = {"text": "return a + b", "answers": {"return x": " * 2", "return a + b": ""}}
TOTAL = {"text": "\n    result = 0\n    return result", "answers": {"return result": ""}}

# The lines of the editor with | at the cursor and «…» around ghost text.
DRAWING = """() => {
  const { focusNode, focusOffset } = document.getSelection();
  const draw = (node) => {
    if (node.classList?.contains('cm-ghost')) return `«${node.textContent}»`;
    const isText = node.nodeType === Node.TEXT_NODE;
    const parts = isText ? node.data.split('') : [...node.childNodes].map(draw);
    if (node === focusNode) parts.splice(focusOffset, 0, '|');
    return parts.join('');
  };
  return [...document.querySelectorAll('.cm-line')].map(draw).join('\\n');
}"""


class Page:
    """The page in a browser; ``sent`` is what it says to the server, message by message."""

    def __init__(self, page, url):
        self.page = page
        self.sent = []
        self.failures = []
        page.on(
            "websocket",
            lambda socket: socket.on("framesent", lambda frame: self.sent.append(json.loads(frame))),
        )
        page.on("pageerror", self._fail)
        page.goto(url)

    def _fail(self, failure):  # playwright takes no bound method of a list
        self.failures.append(failure)

    @property
    def drawing(self):
        return self.page.evaluate(DRAWING)

    def open(self, drawing, name="a.py"):
        """Open a file, with the cursor where the drawing has it."""
        before, after = drawing.split("|")
        content = (before + after).encode()
        file = {"name": name, "mimeType": "text/plain", "buffer": content}
        self.page.locator("#open").set_input_files(file)
        self.page.locator("[aria-selected=true]", has_text=name).wait_for()
        self.page.keyboard.press("Control+End")
        for _ in after.replace("\r", ""):
            self.page.keyboard.press("ArrowLeft")

    def show(self, name):
        self.page.get_by_role("tab", name=name).click()

    def type(self, text):
        self.page.keyboard.type(text)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def sees(self, drawing):
        """Wait until the editor shows this."""
        try:
            self.page.wait_for_function(
                f"(wanted) => ({DRAWING})() === wanted", arg=drawing, timeout=PATIENCE_MS
            )
        except Exception:  # the browser's own word for it tells nothing of the screen
            pytest.fail(f"waited in vain for\n{drawing}\nand saw\n{self.drawing}")

    def sees_ghost_text(self):
        """Wait until there is any; returns it."""
        ghost = self.page.locator(".cm-ghost")
        ghost.first.wait_for(timeout=PATIENCE_MS)
        return "".join(ghost.all_text_contents())

    def says(self, pattern):
        """Wait until the status line matches."""
        self.page.locator("#state", has_text=re.compile(pattern)).wait_for(timeout=PATIENCE_MS)

    def told(self, method):
        """The parameters of what the server was told or asked so far."""
        return [message["params"] for message in self.sent if message.get("method") == method]


@pytest.fixture
def demo(machine):
    """Start ``fim-ls demo --web``; gives the process and the address that it tells."""
    running = []

    def demo(port=0):
        command = [machine.home / "bin" / "fim-ls", "demo", "--web", "--no-browser", "--port", str(port)]
        # Shells let the programs that run in the background ignore Ctrl+C, and these hand that down.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(command, env=machine.environment, stdout=subprocess.PIPE, text=True)
        signal.signal(signal.SIGINT, before)
        running.append(process)
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        return process, found[0]

    yield demo
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def visit(browser, demo, machine):
    """Open the page of a demonstration whose model says what a script says."""
    contexts, pages = [], []

    def visit(url=None, prepare=lambda _page: None, **script):
        if script:
            machine.echo(**script)
        contexts.append(browser.new_context(viewport={"width": 900, "height": 560}))
        page = contexts[-1].new_page()
        prepare(page)
        pages.append(Page(page, url or demo()[1]))
        return pages[-1]

    yield visit
    for context in contexts:
        context.close()
    assert not [failure for page in pages for failure in page.failures]


@pytest.fixture
def edit(visit):
    """Open the text of a drawing in the page, and type the last character before its cursor."""

    def edit(drawing, name="a.py", **script):
        page = visit(**script)
        before, after = drawing.split("|")
        page.open(f"{before[:-1]}|{after}", name)
        page.type(before[-1])
        return page

    return edit


# -- taking it


def test_tab_takes_what_is_drawn_at_the_cursor(edit):
    page = edit("def add(a, b):\n    |", **ADD)
    page.sees("def add(a, b):\n    |«return a + b»")
    page.press("Tab")
    page.sees("def add(a, b):\n    return a + b|")
    assert page.told("workspace/executeCommand")[0]["command"] == "fim-ls.accepted"
    assert page.told("textDocument/didShowCompletion")


def test_a_word_is_taken_and_the_rest_stays(edit):
    page = edit("def add(a, b):\n    |", **ADD)
    page.sees("def add(a, b):\n    |«return a + b»")
    page.press(WORD)
    page.sees("def add(a, b):\n    return|« a + b»")
    page.press(WORD)
    page.sees("def add(a, b):\n    return a|« + b»")
    lengths = [told["acceptedLength"] for told in page.told("textDocument/didPartiallyAcceptCompletion")]
    assert lengths == [len("return"), len("return a")]
    page.press("Tab")
    page.sees("def add(a, b):\n    return a + b|")


def test_a_line_is_taken_and_the_rest_stays(edit):
    page = edit("def total(items):|", **TOTAL)
    page.sees("def total(items):|«\n    result = 0\n    return result»")
    page.press(LINE)
    page.sees("def total(items):\n    result = 0|«\n    return result»")
    page.press(LINE)
    page.sees("def total(items):\n    result = 0\n    return result|")


def test_what_is_taken_can_be_undone_by_itself(edit):
    page = edit("def add(a, b):\n    |", **ADD)
    page.sees("def add(a, b):\n    |«return a + b»")
    page.type("ret")
    page.sees("def add(a, b):\n    ret|«urn a + b»")
    page.press("Tab")
    page.sees("def add(a, b):\n    return a + b|")
    page.press("Control+z")
    page.sees("def add(a, b):\n    ret|")


def test_where_nothing_is_shown_the_keys_mean_what_they_always_meant(edit):
    page = edit("first = 1|\nsecond = 2", text="")
    page.press("Tab")
    page.sees("    first = 1|\nsecond = 2")
    page.press("Home", "Control+ArrowRight")
    page.sees("    first| = 1\nsecond = 2")
    page.press("End", "Escape")
    page.sees("    first = 1|\nsecond = 2")


def test_a_bracket_that_the_editor_closed_is_not_doubled(edit):
    page = edit("total = add|", text="(a, b)", answers={"a, b": ""})
    page.sees("total = add|«(a, b)»")
    page.type("(")
    page.sees("total = add(|«a, b»)")
    page.press("Tab")
    page.sees("total = add(a, b)|")


# -- typing


def test_a_bracket_that_the_editor_closed_is_typed_over(edit):
    page = edit("total = add|", text="(a, b) + 1")
    page.sees("total = add|«(a, b) + 1»")
    page.type("(a")
    page.sees("total = add(a|«, b»)« + 1»")
    page.type(", b)")
    page.sees("total = add(a, b)|« + 1»")


def test_typing_along_keeps_the_rest_and_asks_for_nothing(edit):
    page = edit("def add(a, b):\n    |", **ADD)
    page.sees("def add(a, b):\n    |«return a + b»")
    asked = len(page.told("textDocument/inlineCompletion"))
    page.type("return ")
    page.sees("def add(a, b):\n    return |«a + b»")
    page.press("Backspace")
    page.sees("def add(a, b):\n    return|« a + b»")
    assert len(page.told("textDocument/inlineCompletion")) == asked


def test_typing_something_else_asks_anew(edit):
    page = edit("def add(a, b):\n    |", **ADD)
    page.sees("def add(a, b):\n    |«return a + b»")
    page.type("return x")
    page.sees("def add(a, b):\n    return x|« * 2»")


def test_typing_on_cancels_the_request_that_has_no_answer_yet(edit):
    page = edit("def add(a, b):\n    |", **ADD, delay_ms=200)
    page.type("return x")
    page.sees("def add(a, b):\n    return x|« * 2»")
    assert page.told("$/cancelRequest")


def test_moving_the_cursor_takes_the_ghost_text_away(edit):
    page = edit("def add(a, b):\n    |", **ADD)
    page.sees("def add(a, b):\n    |«return a + b»")
    page.press("ArrowLeft")
    page.sees("def add(a, b):\n   | ")


def test_what_was_dismissed_comes_back_only_when_it_is_asked_for(edit):
    page = edit("def add(a, b):\n    |", text="return a + b", answers={"    re": "turn a + b"})
    page.sees("def add(a, b):\n    |«return a + b»")
    page.press("Escape")
    page.sees("def add(a, b):\n    |")
    page.type("re")
    page.show("shapes.py")
    page.sees_ghost_text()  # by now the other file's would have been there
    page.show("a.py")
    page.sees("def add(a, b):\n    re|")
    page.press("Alt+\\")
    page.sees("def add(a, b):\n    re|«turn a + b»")


def test_all_candidates_can_be_looked_through(visit):
    page = visit(text="one", prepare=with_three_candidates)
    page.open("a_number =|")
    page.type(" ")
    page.sees("a_number = |«one»")
    page.press("Alt+]")
    page.sees("a_number = |«two»")
    page.press("Alt+]")
    page.sees("a_number = |«three»")
    page.press("Alt+]")
    page.sees("a_number = |«one»")
    page.press("Alt+[")
    page.sees("a_number = |«three»")
    page.press("Tab")
    page.sees("a_number = three|«one»")


def with_three_candidates(page):
    """Let whoever asks by a key get two more than the server has."""
    invoked = set()

    def between(socket):
        server = socket.connect_to_server()

        def forward(text):
            message = json.loads(text)
            if message.get("params", {}).get("context") == {"triggerKind": 1}:
                invoked.add(message["id"])
            server.send(text)

        def back(text):
            message = json.loads(text)
            if message.get("id") in invoked and message.get("result"):
                (first,) = message["result"]["items"]
                message["result"]["items"] = [
                    {**first, "insertText": each} for each in ("one", "two", "three")
                ]
            socket.send(json.dumps(message))

        socket.on_message(forward)
        server.on_message(back)

    page.route_web_socket("**", between)


# -- files


def test_two_files_have_suggestions_of_their_own(edit):
    page = edit("number_one = |", text="1", answers={"two": "2"})
    page.sees("number_one = |«1»")
    page.open("number_two =|", "b.py")
    page.type(" ")
    page.sees("number_two = |«2»")
    page.show("a.py")
    page.sees("number_one = |«1»")


def test_a_file_with_carriage_returns_and_emoji_keeps_them(edit):
    page = edit("# 😀 é\r\ndef total(items):|\r\n\r\nprint('😀')\r\n", **TOTAL)
    page.sees("# 😀 é\ndef total(items):|«\n    result = 0\n    return result»\n\nprint('😀')\n")
    page.press(LINE, "Tab")
    page.sees("# 😀 é\ndef total(items):\n    result = 0\n    return result|\n\nprint('😀')\n")
    texts = [
        change["text"] for told in page.told("textDocument/didChange") for change in told["contentChanges"]
    ]
    assert texts == [":", "\r\n    result = 0", "\r\n    return result"]
    (told,) = page.told("textDocument/didPartiallyAcceptCompletion")
    assert told["acceptedLength"] == len("\r\n    result = 0")


def test_a_cursor_behind_an_emoji_is_where_the_server_thinks_it_is(edit):
    page = edit("print('é😀', |)", text="a, b)", answers={"a, b": ""})
    page.sees("print('é😀', |«a, b»)")
    page.press("Tab")
    page.sees("print('é😀', a, b)|")


# -- the server


def test_a_server_that_comes_back_is_found_again(visit, demo, machine):
    machine.echo(**ADD)
    process, url = demo()
    page = visit(url)
    page.open("def add(a, b):\n   |")
    machine.kill_server()
    page.says("the server is gone")
    page.type(" ")
    process.wait()
    demo(port=url.rpartition(":")[2].strip("/"))
    page.sees("def add(a, b):\n    |«return a + b»")
    page.says("echo on cpu")


def test_while_the_model_is_loaded_the_status_line_says_so(edit, machine):
    gate = machine.home / "gate"
    page = edit("def add(a, b):\n    |", **ADD, loads_when=str(gate))
    page.says("loading .* 50 %")
    gate.touch()
    page.sees("def add(a, b):\n    |«return a + b»")
    page.says("echo on cpu")


def test_suggestions_are_turned_off_and_on(edit):
    page = edit("def add(a, b):\n    |", **ADD)
    page.sees("def add(a, b):\n    |«return a + b»")
    page.page.get_by_text("Turn off").click()
    page.says("suggestions are off")
    page.sees("def add(a, b):\n    |")
    page.page.get_by_text("Turn on").click()
    page.says("echo on cpu")
    page.sees("def add(a, b):\n    |«return a + b»")


def test_a_model_that_fails_says_why(edit):
    page = edit("def add(a, b):\n    |", text="", fail="The model is on fire.")
    page.says("The model is on fire.")


def test_two_browsers_have_files_of_their_own(visit, demo, machine):
    machine.echo(text="1", answers={"two": "2"})
    _, url = demo()
    one, two = visit(url), visit(url)
    one.open("number_one =|")
    two.open("number_two =|")
    one.type(" ")
    two.type(" ")
    one.sees("number_one = |«1»")
    two.sees("number_two = |«2»")
    one.page.close()
    two.press("Backspace")
    two.type(" ")
    two.sees("number_two = |«2»")


def test_ctrl_c_ends_it(demo, visit, machine):
    machine.echo(**ADD)
    process, url = demo()
    page = visit(url)
    page.says("echo on cpu")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


@pytest.mark.model
def test_the_embedded_model_suggests_something_sensible(visit, pictures, embedded_gguf):
    page = visit()
    page.says("SmolLM2.* on cpu")
    assert "math.pi" in page.sees_ghost_text()
    page.page.screenshot(path=pictures / "web.png")


# -- the page itself


@pytest.fixture(scope="module")
def source(launcher, tmp_path_factory):
    """The source of the page, beside the packages that it is built with."""
    modules = launcher("web").parents[1] / "web" / "node_modules"
    folder = tmp_path_factory.mktemp("web") / "editors" / "web"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(modules)
    return folder


def test_the_page_in_the_package_is_what_its_source_builds(source, launcher):
    built = source / "built.html"
    subprocess.run([launcher("node"), "build.cjs", built], cwd=source, check=True)
    assert built.read_bytes() == BUILT.read_bytes(), "run: cd editors/web && npm ci && npm run build"


def test_the_source_of_the_page_has_no_type_errors(source, launcher):
    compiler = source / "node_modules" / ".bin" / "tsc"
    done = subprocess.run(
        [launcher("node"), compiler, "-p", source], stdout=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_page_is_small_and_asks_nobody_for_anything():
    page = BUILT.read_text()
    assert len(page.encode()) < MOST_BYTES
    assert set(re.findall(r"<(?:script|link|img)\b[^>]*\b(?:src|href)=([^ >]+)", page)) == {'"data:,"'}
