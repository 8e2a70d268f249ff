from lsp_server.completion.postprocess.cut_at_string_end import cut_at_string_end

FILTER = cut_at_string_end


def test_a_docstring_that_the_file_ends_is_not_ended_again(check):
    check(
        'def f():\n    """|"""\n    return 1\n',
        model='Give one.\n    """\n    return 1\n',
        shows="Give one.\n    ",
    )
    check(
        'def f():\n    """\n    |\n    """\n    return 1\n',
        model='Give one.\n    """\n    return 1\n',
        shows="Give one.",
    )


def test_a_docstring_that_nobody_ends_is_ended_by_the_model(check):
    check('def f():\n    """|\n    return 1\n', model='Give one."""', shows='Give one."""')


def test_quotes_outside_a_string_begin_one(check):
    check('def f():\n    |\n\n\ndef g():\n    """Two."""\n', model='"""One."""', shows='"""One."""')
