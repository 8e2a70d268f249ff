from __future__ import annotations

from email.message import Message

import pytest

from training.licences import UNKNOWN, DebianCopyright, from_metadata, permitted

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 Circle
License: Expat

Files: src/square.c
 src/cube.c
Copyright: 2021 Square
License: GPL-2+
 This program is free software.

Files: debian/*
Copyright: 2022 Packager
License: GPL-3+
"""


@pytest.mark.parametrize(
    "expression",
    [
        "MIT",
        "MIT License",
        "Expat",
        "BSD-3-Clause",
        "3-Clause BSD License",
        "BSD-2-clauses",
        "Apache-2.0",
        "Apache License, Version 2.0",
        "Apache Software License",
        "ISC License (ISCL)",
        "Python Software Foundation License",
        "MIT OR GPL-3.0",
        "BSD-3-Clause, and MIT or GPL-2",
        "Apache-2.0 WITH LLVM-exception",
        "(MIT OR Apache-2.0) AND BSD-3-Clause",
    ],
)
def test_permissive_licences_are_permitted(expression: str) -> None:
    assert permitted(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        UNKNOWN,
        "GPL-3.0-or-later",
        "LGPL-2.1",
        "MPL-2.0",
        "MIT AND GPL-3.0",
        "BSD-3-Clause, and GPL-2",
        "(MIT OR GPL-3.0) AND BSD-3-Clause",
        "BSD-4-clause",
        "CC-BY-4.0",
        "MIT-0",
        "not MIT",
    ],
)
def test_other_licences_are_not(expression: str) -> None:
    assert not permitted(expression)


def metadata(*lines: tuple[str, str]) -> Message:
    message = Message()
    for key, value in lines:
        message[key] = value
    return message


def test_an_expression_counts_more_than_classifiers_and_they_more_than_free_text() -> None:
    text = ("License", "Our own terms")
    mit = ("Classifier", "License :: OSI Approved :: MIT License")
    bsd = ("Classifier", "License :: OSI Approved :: BSD License")
    assert from_metadata(metadata(("License-Expression", "ISC"), mit, text)) == "ISC"
    assert from_metadata(metadata(mit, bsd, text)) == "BSD License AND MIT License"
    assert from_metadata(metadata(text)) == "Our own terms"
    assert from_metadata(metadata()) == UNKNOWN


def test_the_last_stanza_that_matches_a_path_says_its_licence() -> None:
    copyright_file = DebianCopyright(COPYRIGHT)
    assert copyright_file.licence("src/circle.c") == "Expat"
    assert copyright_file.licence("src/cube.c") == "GPL-2+"


def test_the_licence_of_a_whole_package_leaves_out_its_packaging() -> None:
    assert DebianCopyright(COPYRIGHT).all_licences == "Expat AND GPL-2+"


def test_a_copyright_file_in_another_format_says_nothing() -> None:
    assert DebianCopyright("This is free software.").all_licences == UNKNOWN
    assert DebianCopyright("This is free software.").licence("a.c") == UNKNOWN
