from lsp_server.completion.postprocess.drop_duplicate_of_next_lines import drop_duplicate_of_next_lines

FILTER = drop_duplicate_of_next_lines


def test_the_next_line_is_not_suggested(check):
    check("def f():\n    |\n    return 1", model="return 1")
    check("def f():\n    a = 1|\n\n    return 1", model="\n    return 1")


def test_the_cursor_line_counts_as_a_whole(check):
    check("    retu|\n    return 1", model="rn 1")


def test_several_next_lines_are_not_suggested(check):
    check("|\na = 1\n\nb = 2\nc = 3", model="a = 1\nb = 2")


def test_the_last_of_several_may_be_unfinished(check):
    check("|\na = 1\nb = compute(2)", model="a = 1\nb = com")


def test_one_line_that_begins_the_next_is_not_its_duplicate(check):
    check("|\nx = 10", model="x = 1", shows="x = 1")


def test_another_indentation_is_another_line(check):
    check("def f():\n    |\nreturn 1", model="return 1", shows="return 1")


def test_a_new_line_before_the_duplicate_is_not_dropped(check):
    check("|\nb = 2", model="a = 1\nb = 2", shows="a = 1\nb = 2")


def test_at_the_end_of_the_file_nothing_is_a_duplicate(check):
    check("a = 1\n|", model="a = 1", shows="a = 1")
