from lsp_server.completion.postprocess.drop_incomplete_tail import drop_incomplete_tail

FILTER = drop_incomplete_tail


def test_the_unfinished_last_line_goes(check):
    check(
        "def area(r):\n    |",
        model="square = r * r\n    return square * 3.14",
        shows="square = r * r",
        finish="length",
    )


def test_a_line_that_ended_with_the_tokens_is_whole(check):
    check("def f():\n    |", model="a = 1\n    b = 2\n", shows="a = 1\n    b = 2", finish="length")


def test_a_single_line_is_kept_as_far_as_it_stands_alone(check):
    check("total = |", model="first + second + thi", shows="first + second", finish="length")


def test_a_single_line_never_ends_inside_a_call(check):
    check("|", model="total = left + compute(a, b, c", shows="total = left", finish="length")


def test_a_single_line_never_ends_with_a_word_that_wants_more(check):
    check("if |", model="ready and not don", shows="ready", finish="length")


def test_a_single_line_of_one_unfinished_word_is_dropped(check):
    check("x = |", model="unfinishe", finish="length")


def test_a_single_line_is_not_cut_to_its_first_word(check):
    check("def f():\n    |", model="result = compute(a, b, c", finish="length")
    check("|", model="def compute(self, a, b, c", finish="length")


def test_a_single_line_that_opens_and_never_closes_is_dropped(check):
    check("x = |", model="f(a, b, c, d", finish="length")


def test_the_line_end_that_begins_the_next_line_is_kept(check):
    check("x = 1|", model="\ny = x + 2 + thr", shows="\ny = x + 2", finish="length")


def test_a_call_opened_before_the_cursor_may_stay_open(check):
    check("print(|)", model="first + second + thi", shows="first + second", finish="length")


def test_an_answer_that_ended_by_itself_is_whole(check):
    check("x = |", model="unfinished", shows="unfinished")
    check("def f():\n    |", model="a = 1\n    b = 2 +", shows="a = 1\n    b = 2 +")
