from lsp_server.completion.postprocess.drop_repeated_lines import drop_repeated_lines

FILTER = drop_repeated_lines


def test_it_cuts_before_the_first_of_three(check):
    check("|", model="a = 1\nb()\nb()\nb()\nc()", shows="a = 1")


def test_blank_lines_do_not_part_a_run(check):
    check("|", model="a = 1\nb()\n\nb()\n\nb()", shows="a = 1")


def test_the_cursor_line_counts_as_a_whole(check):
    check("    |", model="b()\n    b()\n    b()")


def test_the_same_words_deeper_are_another_line(check):
    closing = "x\n        }\n    }\n}"
    check("|", model=closing, shows=closing, language="c")


def test_continue_drops_duplicated_legal_lines(check):
    rows = "[0, 1],\n[0, 1],\n[1, 0],"
    check("|", model=rows, shows=rows)
    check("|", model="a\n\n\n\nb", shows="a\n\n\n\nb")


def test_lines_that_come_again_at_once_are_left_once(check):
    check("|", model="a = 1\nb()\nc()\n\nb()\nc()\nd()", shows="a = 1\nb()\nc()")
    check(
        "x = [\n    |\n]",
        model='"a",\n    "b",\n    "c",\n    "a",\n    "b",\n    "c",',
        shows='"a",\n    "b",\n    "c",',
    )


def test_lines_that_come_again_later_stay(check):
    text = "b()\nc()\nd()\nb()\nc()"
    check("|", model=text, shows=text)
