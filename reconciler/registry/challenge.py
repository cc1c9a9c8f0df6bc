"""What a registry asks for when it answers 401 (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PARAMETER = re.compile(rf"\s*({_WORD})\s*=\s*({_QUOTED}|{_WORD})\s*(?=,|$)")
_SCHEME = re.compile(rf"\s*({_WORD})(?=\s|,|$)")
_TOKEN68 = re.compile(r"\s+[0-9A-Za-z._~+/-]+=*\s*(?=,|$)")
_COMMAS = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One way to be let in; scheme and names of parameters are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def challenges_in(header: str) -> tuple[Challenge, ...]:
    """The challenges of a `WWW-Authenticate` header, in order, up to what cannot be read."""
    return tuple(_challenges(header))


def _challenges(header: str) -> Iterator[Challenge]:
    at = _skipped(header, 0)
    while (scheme := _SCHEME.match(header, at)) is not None:
        at = scheme.end()
        parameters: dict[str, str] = {}
        if (other := _TOKEN68.match(header, at)) is not None:
            at = other.end()
        else:
            at = _parameters(header, at, parameters)
        yield Challenge(scheme=scheme[1].lower(), parameters=parameters)
        at = _skipped(header, at)


def _parameters(header: str, at: int, found: dict[str, str]) -> int:
    """Where the parameters end that begin at `at`; they are put into `found`, the first wins."""
    while (one := _PARAMETER.match(header, at)) is not None:
        found.setdefault(one[1].lower(), _text(one[2]))
        at = one.end()
        after = _skipped(header, at)
        if _PARAMETER.match(header, after) is None:
            break
        at = after
    return at


def _text(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _skipped(header: str, at: int) -> int:
    found = _COMMAS.match(header, at)
    return found.end() if found is not None else at
