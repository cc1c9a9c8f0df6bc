"""The syntax of template expressions: text in, a tree out. Nothing is evaluated here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

_DEEPEST = 60
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?[0-9]{1,18}(?![0-9]))"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\.\?|\[\?|[()\[\],.]))"
)


class BadExpression(Exception):
    """The text is no expression."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A text in single quotes, or a whole number."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A function, its name folded to lower case, and its arguments."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """`holder.name`, `holder['name']` or `holder[0]`; lenient where a `?` stands before it."""

    holder: Expression
    key: Expression
    is_lenient: bool


Expression: TypeAlias = Literal | Call | Member


def is_expression(text: str) -> bool:
    """Whether a template's text is an expression; `[[` at its start is a plain bracket."""
    return text.startswith("[") and text.endswith("]") and not text.startswith("[[")


def unescaped(text: str) -> str:
    """A plain text as it is meant."""
    return text[1:] if text.startswith("[[") else text


def parsed(text: str) -> Expression:
    """The tree of an expression with its brackets.

    Raises:
        BadExpression: it cannot be read; the message says why.
    """
    reader = _Reader(text[1:-1])
    tree = reader.expression(0)
    reader.end()
    return tree


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._kind, self._token = "", ""
        self._step()

    def _step(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is not None:
            self._kind, self._token = found.lastgroup or "", found[found.lastgroup or 0]
            self._at = found.end()
        elif not self._text[self._at :].strip():
            self._kind, self._token = "end", ""
        else:
            raise BadExpression(f"unreadable at character {self._at + 2}")

    def _is(self, sign: str) -> bool:
        return self._kind == "sign" and self._token == sign

    def _take(self, sign: str) -> None:
        if not self._is(sign):
            raise BadExpression(f"expected '{sign}' at character {self._at + 1}")
        self._step()

    def end(self) -> None:
        if self._kind != "end":
            raise BadExpression(f"expected its end at character {self._at + 1}")

    def expression(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise BadExpression(f"expected at most {_DEEPEST} levels of nesting")
        tree = self._atom(depth)
        while self._kind == "sign" and self._token in (".", ".?", "[", "[?"):
            tree = self._member(tree, depth)
        return tree

    def _member(self, holder: Expression, depth: int) -> Expression:
        sign = self._token
        self._step()
        if sign.startswith("["):
            key = self.expression(depth + 1)
            self._take("]")
        elif self._kind == "name":
            key = Literal(self._token)
            self._step()
        else:
            raise BadExpression(f"expected a name at character {self._at + 1}")
        return Member(holder, key, is_lenient=sign.endswith("?"))

    def _atom(self, depth: int) -> Expression:
        kind, token = self._kind, self._token
        if kind not in ("text", "number", "name"):
            raise BadExpression(f"expected a value at character {self._at + 1}")
        self._step()
        if kind == "text":
            return Literal(token[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(int(token))
        name = token
        while self._is("."):  # a function of the template's own: namespace.name
            self._step()
            name += f".{self._token}"
            self._step()
        return Call(name.lower(), self._arguments(depth))

    def _arguments(self, depth: int) -> tuple[Expression, ...]:
        self._take("(")
        found: list[Expression] = []
        while not self._is(")"):
            if found:
                self._take(",")
            found.append(self.expression(depth + 1))
        self._take(")")
        return tuple(found)
