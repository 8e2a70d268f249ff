from lsp_server.completion.postprocess.drop_similar_to_next_lines import drop_similar_to_next_lines

FILTER = drop_similar_to_next_lines


def test_the_next_line_with_other_blanks_is_dropped(check):
    check("|\nreturn left + right", model="return left+ right")


def test_the_next_line_with_a_comma_more_is_dropped(check):
    check("|\ncall(first, second)", model="call(first, second,)")


def test_a_block_a_few_characters_apart_is_dropped(check):
    below = "for name in names:\n    print(name)\n    count += 1"
    check("|\n" + below, model="for name in names:\n    print(nane)\n    count += 1")


def test_twins_are_what_people_write(check):
    check("|\nplot.set_ylim(low, high)", model="plot.set_xlim(low, high)", shows="plot.set_xlim(low, high)")
    check("|\nvalues[1] = 0", model="values[0] = 0", shows="values[0] = 0")


def test_twin_blocks_with_other_numbers_stay(check):
    text = "first = compute(1)\nstore(first)"
    check("|\nfirst = compute(2)\nstore(first)", model=text, shows=text)


def test_deeper_lines_stay(check):
    drawing = "if low:\n    |\nreturn pi / 2 - asin(narg)"
    check(drawing, model="return pi / 2 + asin(narg)", shows="return pi / 2 + asin(narg)")


def test_hardly_anything_is_similar_to_nothing(check):
    check("|\n}", model="});", shows="});", language="javascript")
    check("|\npass", model="pass;", shows="pass;")


def test_at_the_end_of_the_file_nothing_is_similar(check):
    check("value = 1\n|", model="value = 1", shows="value = 1")
