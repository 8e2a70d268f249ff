"""What a long session may cost."""

import psutil

EDITS = 10_000
MOST_GROWTH_BYTES = 5 * 2**20
ROUNDS = 2
"""The first one fills what is allocated once; what grows in the second one grows for ever."""


async def edit_often(client, first_version):
    """Type a character into the document and take it away again, over and over."""
    for version in range(first_version, first_version + EDITS, 2):
        empty = {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 4}}
        typed = {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 5}}
        await client.change({"range": empty, "text": "x"}, version=version)
        await client.change({"range": typed, "text": ""}, version=version + 1)
    await client.execute("fim-ls.status")  # answered behind all of them


async def test_ten_thousand_edits_leave_nothing_behind(start):
    client = await start()
    await client.initialize()
    await client.open("def add(a, b):\n    \n" * 200)
    await client.ready()
    memory = []
    for round_number in range(ROUNDS):
        await edit_often(client, 2 + round_number * EDITS)
        memory.append(psutil.Process(client.process.pid).memory_info().rss)
    assert memory[-1] - memory[0] < MOST_GROWTH_BYTES
    assert await client.ghost(1, 4) == "a + b"
