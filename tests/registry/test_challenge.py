"""`WWW-Authenticate` as RFC 9110 lets servers write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.registry.challenge import challenges_in


def read(header: str) -> list[tuple[str, dict[str, str]]]:
    return [(one.scheme, dict(one.parameters)) for one in challenges_in(header)]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", []),
        ("Negotiate", [("negotiate", {})]),
        ("BASIC realm=x", [("basic", {"realm": "x"})]),
        ('Basic realm="a, \\"b\\" = c", charset="UTF-8"', [
            ("basic", {"realm": 'a, "b" = c', "charset": "UTF-8"})
        ]),
        ('Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull"', [
            ("bearer", {
                "realm": "https://auth.docker.io/token",
                "service": "registry.docker.io",
                "scope": "repository:library/nginx:pull",
            })
        ]),
        ('Bearer Realm = "https://a" , scope = "p q" , , Basic realm="r"', [
            ("bearer", {"realm": "https://a", "scope": "p q"}), ("basic", {"realm": "r"})
        ]),
        ("Negotiate dGVzdA==, Basic realm=r", [("negotiate", {}), ("basic", {"realm": "r"})]),
        ('Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"', [
            ("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
            ("basic", {"realm": "simple"}),
        ]),
        ('Bearer realm="first",realm="second"', [("bearer", {"realm": "first"})]),
    ],
)  # fmt: skip
def test_a_challenge_is_read_whatever_its_quoting(
    header: str, found: list[tuple[str, dict[str, str]]]
) -> None:
    assert read(header) == found


@pytest.mark.parametrize("header", ['Bearer realm="never ends', "Bearer realm=", "=x", '"x"'])
def test_what_cannot_be_read_gives_no_parameters(header: str) -> None:
    assert all(not parameters for _, parameters in read(header))


@given(st.text())
def test_every_header_ends(header: str) -> None:
    assert isinstance(challenges_in(header), tuple)


_NAME = st.text("abcdefghij-_", min_size=1, max_size=8)
_VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(st.dictionaries(_NAME, _VALUE, min_size=1, max_size=4))
def test_every_quoted_value_comes_back_as_it_was(parameters: dict[str, str]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = "Bearer " + ", ".join(f"{name}={quoted(v)}" for name, v in parameters.items())
    assert read(header) == [("bearer", parameters)]
