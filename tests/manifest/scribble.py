"""Manifests as people may write them: any layout, any quotes, comments everywhere."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

NASTY = (
    "", "no", "on", "y", "~", "null", "1.10", "017", "0o17", "1_000", "1e3", "22:30", "2024-01-01",
    "0x1F", ".5", "+1", "=", "<<", "a: b", "a #b", "#a", "- a", "-", "? a", "a:", "[a", "{a}", "a, b",
    "*a", "&a", "!a", "%a", "@a", "`a", "'a'", '"a"', "a'b", 'a"b', "a\\b", " a", "a ", "a  b", "é✓",
    "${var:x}", "x ${var:y} z", "---", "...", "http://x.y/z", "tab\there", "a\nb", "a\nb\n", "a\n\nb\n\n",
    "  lead\nx\n", "\nx\n", "\n", "x\n  more\nx\n", "# no comment\n", "a\n---\nb\n", "long " * 30,
)  # fmt: skip
TEXTS = st.one_of(st.sampled_from(NASTY), st.text(alphabet="ab1:#-,'\"{}[] \n", max_size=8))
_FREE = st.dictionaries(st.sampled_from(["a", "no", "1.9", "b c", "é"]), TEXTS, max_size=2)
_VARIABLE = st.fixed_dictionaries({"name": TEXTS}, optional={"value": TEXTS})
_CONTAINER = st.fixed_dictionaries(
    {"name": TEXTS},
    optional={
        "properties": st.fixed_dictionaries(
            {},
            optional={
                "resources": st.fixed_dictionaries(
                    {"requests": st.just({"memoryInGB": 1.5, "cpu": 1})}
                ),
                "command": st.lists(TEXTS, max_size=3),
                "image": TEXTS,
                "environmentVariables": st.lists(_VARIABLE, max_size=3),
            },
        ),
        "unknown": st.lists(st.lists(st.one_of(TEXTS, _FREE), max_size=2), max_size=2),
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"name": TEXTS},
    optional={
        "properties": st.fixed_dictionaries(
            {"containers": st.lists(_CONTAINER, max_size=2)},
            optional={"osType": TEXTS, "restartPolicy": st.none()},
        ),
        "tags": _FREE,
        "zones": st.lists(st.sampled_from([1, 2.5, True, None]), max_size=2),
        "location": TEXTS,
    },
)


def _fits_a_block(value: str) -> bool:
    lines = value.split("\n")
    return bool(value.strip()) and "\t" not in value and all(x.strip() or not x for x in lines)


class Scribbler:
    """Writes data as YAML, every choice of layout drawn; each comment names the key it is about."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self._count = 0

    def document(self, data: dict[str, Any]) -> str:
        """The text of one document."""
        lines = self._maybe_comments(0, "head")
        lines += self._mapping(data, 0)
        return "\n".join([*lines, *self._maybe_comments(self._pick([0, 2, 5]), "foot"), ""])

    def _pick(self, choices: list[Any]) -> Any:
        return self._draw(st.sampled_from(choices))

    def _note(self, about: str) -> str:
        self._count += 1
        return f"# {self._count} {about}"

    def _maybe_comments(self, indent: int, about: str) -> list[str]:
        match self._pick(["", "", "", "blank", "comment", "both"]):
            case "blank":
                return [""] * self._pick([1, 3])
            case "comment":
                return [" " * indent + self._note(about)]
            case "both":
                return ["", " " * indent + self._note(about), ""]
        return []

    def _beside(self, key: str) -> str:
        return (
            f"{self._pick([' ', '   '])}{self._note(f'beside {key}')}"
            if self._pick([0, 0, 1])
            else ""
        )

    def _mapping(self, data: dict[str, Any], indent: int) -> list[str]:
        lines: list[str] = []
        for key, value in data.items():
            if lines:
                lines += self._maybe_comments(self._pick([indent, indent + 3]), "own line")
            name = key if key.isalpha() and key not in ("no",) else json.dumps(key)
            lines += self._valued(f"{' ' * indent}{name}:", value, indent, key)
        return lines

    def _sequence(self, items: list[Any], indent: int) -> list[str]:
        lines: list[str] = []
        for item in items:
            lines += self._maybe_comments(indent, "own line")
            dash = " " * indent + "-"
            if isinstance(item, dict) and item and self._pick([0, 1]):
                inner = self._mapping(item, indent + 2)
                lines += [f"{dash} {inner[0].lstrip()}", *inner[1:]]
            else:
                lines += self._valued(dash, item, indent, "-")
        return lines

    def _valued(self, head: str, value: Any, indent: int, key: str) -> list[str]:
        if isinstance(value, dict | list) and value and self._pick([0, 1, 1]):
            inner = indent + self._pick([1, 2, 4])
            if isinstance(value, dict):
                return [head + self._beside(key), *self._mapping(value, inner)]
            inner = indent if key != "-" and self._pick([0, 1]) else inner
            return [head + self._beside(key), *self._sequence(value, inner)]
        if isinstance(value, str) and _fits_a_block(value) and self._pick([0, 1, 1]):
            return self._literal(head, value, indent, key)
        return [f"{head} {self._flow(value, indent)}{self._beside(key)}"]

    def _literal(self, head: str, value: str, indent: int, key: str) -> list[str]:
        step = self._pick([1, 2, 4])
        depth = str(step) if value.startswith((" ", "\n")) or self._pick([0, 0, 1]) else ""
        ends = {0: "-", 1: ""}.get(len(value) - len(value.rstrip("\n")), "+")
        body = (value.removesuffix("\n") if value.endswith("\n") else value).split("\n")
        pad = " " * (indent + step)
        header = f"{head} |{depth}{ends}{self._beside(key)}"
        return [header, *(pad + line if line else "" for line in body)]

    def _flow(self, value: Any, indent: int) -> str:
        broken = self._pick(["", "", "\n" + " " * (indent + self._pick([1, 2, 6]))])
        if isinstance(value, dict):
            pairs = [f"{json.dumps(k)}: {self._flow(v, indent + 1)}" for k, v in value.items()]
            return f"{{{broken}{(',' + (broken or ' ')).join(pairs)}{broken}}}"
        if isinstance(value, list):
            items = [self._flow(item, indent + 1) for item in value]
            return f"[{broken}{(',' + (broken or ' ')).join(items)}{broken}]"
        if (
            isinstance(value, str)
            and "\n" not in value
            and "\t" not in value
            and self._pick([0, 1])
        ):
            return "'" + value.replace("'", "''") + "'"
        return json.dumps(value, ensure_ascii=self._pick([True, False]))


@st.composite
def scribbled(draw: Any) -> str:
    """The text of a file with one manifest or two."""
    scribbler = Scribbler(draw)
    documents = [scribbler.document(draw(DOCUMENTS)) for _ in range(draw(st.integers(1, 2)))]
    return "---\n".join(documents)
