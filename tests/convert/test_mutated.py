"""Files that people got wrong: an answer, never a crash, and 0 only for what validates."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import pytest
import yaml

from reconciler.manifest.relaxed import parsed
from tests.conftest import typed

CASES = Path(__file__).parent / "cases"
FILES = sorted(file for file in CASES.iterdir() if not file.name.endswith(".expected.json"))
ODD = [
    None, True, 0, -1, 1.5, 10**30, "", "x", "\n", "a" * 300, [], {}, [None], {"a": None}, [1, "x"],
    "${var:x}", {"unknown": True}, {"fromEnv": "X"}, {"fromEnv": 3}, {"properties": {}},
    "[parameters('tag')]", "[variables('a')]", "[resourceGroup()]", "[null()]", "[range(0, 3)]",
    "[json('[1]')]", "[listKeys('x')]", {"copy": [{"name": "a", "count": 2, "input": "x"}]},
]  # fmt: skip
NAMES = ["secret", "properties", "value", "name", "unknown", "copy", "Name", "containers", "type"]


def read(file):
    text = file.read_text("utf-8")
    return (
        parsed(text)[0]
        if file.suffix == ".json"
        else json.loads(json.dumps(yaml.safe_load(text), default=str))
    )


def places(value, path=()):
    members = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, item in members:
        yield (*path, name)
        yield from places(item, (*path, name))


def mutated(value, chance):
    """`value` with something in it replaced, removed or added."""
    value = copy.deepcopy(value)
    *way, last = chance.choice(list(places(value)))
    holder = value
    for name in way:
        holder = holder[name]
    match chance.randrange(4):
        case 0 | 1:
            holder[last] = copy.deepcopy(chance.choice(ODD))
        case 2:
            del holder[last]
        case _ if isinstance(holder, dict):
            holder[chance.choice(NAMES)] = copy.deepcopy(chance.choice(ODD))
    return value


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_that_is_wrong_somewhere_is_answered(tmp_path, file):
    whole = read(file)
    for number in range(8):
        changed = mutated(whole, random.Random(f"{file.name} {number}"))
        (tmp_path / "in.json").write_text(json.dumps(changed))

        done = typed("convert", "in.json", cwd=tmp_path)

        assert done.code in (0, 2, 3), (number, done.err)
        assert "internal error" not in done.err, (number, done.err)
        if done.code == 0:
            (tmp_path / "out.yaml").write_text(done.out)
            told = typed("validate", "out.yaml", cwd=tmp_path)
            assert told.code == 0, (number, told.out)
