"""JSON as Azure's tools take and write it: with comments, and texts over several lines.

`json` of the standard library knows neither comments nor places, so only single tokens go to it.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterator

from reconciler.core.finding import Mark
from reconciler.core.jsonval import Json, JsonObject, WirePath
from reconciler.manifest.document import Pair

_DEEPEST = 100
_LONGEST_WORD = 40  # of a number
_TOKEN = re.compile(
    r'(?P<text>"[^"\\]*(?:\\.[^"\\]*)*")'
    r"|(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<sign>[{}\[\],:])"
    r'|(?P<word>[^\s{}\[\],:"/]+)',
    re.DOTALL,
)
_SPACE = re.compile(r"\s*")


class NotJson(Exception):
    """The text is no JSON: what was expected and what came, and where."""

    def __init__(self, says: str, mark: Mark) -> None:
        super().__init__(says)
        self.says = says
        self.mark = mark


def looks_like_json(text: str) -> bool:
    """Whether the first thing in `text`, comments apart, opens an object or a list."""
    for kind, token, _ in _tokens(text):
        if kind != "comment":
            return token in ("{", "[")
    return False


def decoded(raw: bytes) -> str:
    """The text of a file, which PowerShell's `>` writes as UTF-16.

    Raises:
        UnicodeDecodeError: it is neither UTF-8 nor UTF-16.
    """
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16")
    # Without a mark: every second byte of ASCII is NUL, which no text in UTF-8 holds.
    if raw[1:2] == b"\0" and raw[:1] != b"\0":
        return raw.decode("utf-16-le")
    if raw[:1] == b"\0" and raw[1:2] != b"\0":
        return raw.decode("utf-16-be")
    return raw.decode("utf-8-sig")


def parsed(text: str) -> tuple[Json, dict[WirePath, Pair], dict[WirePath, Pair]]:
    """The value, and where each value and each key stands (line and column, from 1).

    Raises:
        NotJson: with the place of the first thing that is wrong.
    """
    reader = _Reader(text)
    value = reader.value((), 0)
    reader.end()
    return value, reader.values, reader.keys


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and offset of each token; what is no token is of the kind ``wrong``."""
    at = 0
    while (at := _after_space(text, at)) < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            yield "wrong", text[at], at
            return
        yield found.lastgroup or "wrong", found.group(), at
        at = found.end()


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


class _Reader:
    def __init__(self, text: str) -> None:
        self.values: dict[WirePath, Pair] = {}
        self.keys: dict[WirePath, Pair] = {}
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._length = len(text)
        self._rest = (one for one in _tokens(text) if one[0] != "comment")
        self._kind, self._word, self._at = "", "", 0
        self._step()

    def _step(self) -> None:
        self._kind, self._word, self._at = next(self._rest, ("end", "", self._length))

    def _pair(self) -> Pair:
        line = bisect_right(self._lines, self._at)
        return line, self._at - self._lines[line - 1] + 1

    def _wrong(self, expected: str) -> NotJson:
        # A text is not shown: it may be a secret.
        got = {"text": "a text", "word": "a word", "end": "the end of the file"}.get(self._kind)
        if got is None:
            unclosed = {'"': "a text that does not end", "/": "a comment that does not end"}
            got = unclosed.get(self._word) or repr(self._word)
        return NotJson(f"expected {expected}, got {got}", Mark(*self._pair()))

    def end(self) -> None:
        if self._kind != "end":
            raise self._wrong("the end of the file")

    def value(self, path: WirePath, depth: int) -> Json:
        self.values[path] = self._pair()
        if depth > _DEEPEST:
            says = f"expected at most {_DEEPEST} levels of nesting, got more"
            raise NotJson(says, Mark(*self._pair()))
        if self._word == "{" and self._kind == "sign":
            return self._object(path, depth)
        if self._word == "[" and self._kind == "sign":
            return self._list(path, depth)
        if self._kind not in ("text", "word"):
            raise self._wrong("a value")
        value = self._scalar()
        self._step()
        return value

    def _scalar(self) -> Json:
        try:
            # Not strict: a template may break a text over lines.
            value: Json = json.loads(self._word, strict=False, parse_constant=_no_constant)
            is_sound = _is_sound(value)
        except ValueError:
            is_sound = False
        if not is_sound or (self._kind == "word" and len(self._word) > _LONGEST_WORD):
            raise self._wrong("a value in JSON")
        return value

    def _object(self, path: WirePath, depth: int) -> JsonObject:
        self._step()
        result: JsonObject = {}
        while not self._closes("}", is_first=not result):
            if self._kind != "text":
                raise self._wrong("a key in double quotes")
            key = str(self._scalar())
            place = (*path, key)
            if key in result:
                raise NotJson(
                    f"expected each key once, got {key[:60]!r} again", Mark(*self._pair())
                )
            self.keys[place] = self._pair()
            self._step()
            if self._word != ":" or self._kind != "sign":
                raise self._wrong("':' after a key")
            self._step()
            result[key] = self.value(place, depth + 1)
        return result

    def _list(self, path: WirePath, depth: int) -> list[Json]:
        self._step()
        items: list[Json] = []
        while not self._closes("]", is_first=not items):
            items.append(self.value((*path, len(items)), depth + 1))
        return items

    def _closes(self, bracket: str, *, is_first: bool) -> bool:
        """Whether the collection ends here; a comma before the next element is taken."""
        if self._kind == "sign" and self._word == bracket:
            self._step()
            return True
        if not is_first:
            if self._word != "," or self._kind != "sign":
                raise self._wrong(f"',' or '{bracket}'")
            self._step()
            if self._kind == "sign" and self._word == bracket:
                self._step()
                return True  # a comma behind the last element, as people leave it
        return False


def _no_constant(_text: str) -> Json:
    raise ValueError


def _is_sound(value: Json) -> bool:
    """Whether it can be written again: no half of a character, no number beyond all bounds."""
    if isinstance(value, str):
        return not any("\ud800" <= char <= "\udfff" for char in value)
    return not isinstance(value, float) or math.isfinite(value)
