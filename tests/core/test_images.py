"""Image references by the grammar that Docker and Azure read them by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.images import (
    Login,
    Lookup,
    is_digest,
    parse_image,
    pulled_digest,
    registry_of,
    short,
)

D = f"sha256:{'0123456789abcdef' * 4}"


@pytest.mark.parametrize(
    ("text", "full", "host"),
    [
        ("nginx", "docker.io/library/nginx:latest", "registry-1.docker.io"),
        ("nginx:1.25", "docker.io/library/nginx:1.25", "registry-1.docker.io"),
        ("shop/web", "docker.io/shop/web:latest", "registry-1.docker.io"),
        ("docker.io/nginx", "docker.io/library/nginx:latest", "registry-1.docker.io"),
        ("index.docker.io/a/b:c", "docker.io/a/b:c", "registry-1.docker.io"),
        ("acme.azurecr.io/web:1", "acme.azurecr.io/web:1", "acme.azurecr.io"),
        ("ACME.azurecr.io/web:1", "acme.azurecr.io/web:1", "acme.azurecr.io"),
        ("REGISTRY/web:1", "registry/web:1", "registry"),
        ("localhost/web", "localhost/web:latest", "localhost"),
        ("localhost:5000/web", "localhost:5000/web:latest", "localhost:5000"),
        ("web:5000/a", "web:5000/a:latest", "web:5000"),
        ("127.0.0.1:5000/a/b/c:x_Y.z-1", "127.0.0.1:5000/a/b/c:x_Y.z-1", "127.0.0.1:5000"),
        ("[::1]:5000/web", "[::1]:5000/web:latest", "[::1]:5000"),
        (f"nginx@{D}", f"docker.io/library/nginx@{D}", "registry-1.docker.io"),
        (f"r.io/n:1@{D}", f"r.io/n:1@{D}", "r.io"),
        ("f/a.b_c__d---e:1", "docker.io/f/a.b_c__d---e:1", "registry-1.docker.io"),
    ],
)  # fmt: skip
def test_an_image_has_one_full_name(text: str, full: str, host: str) -> None:
    found = parse_image(text)
    assert (str(found), found.host) == (full, host)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", r"[HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST]"),
        ("Nginx", "a repository name in lower case"),
        ("shop/Web:1", "a repository name in lower case"),
        ("acme.azurecr.io/Web", "a repository name in lower case"),
        ("nginx:", "a tag of at most 128"),
        (f"nginx:{'a' * 129}", "a tag of at most 128"),
        ("nginx:.a", "a tag of at most 128"),
        ("nginx@sha256:abc", "'@sha256:' and 64"),
        (f"nginx@{D.upper()}", "'@sha256:' and 64"),
        ("nginx@", "'@sha256:' and 64"),
        ("https://r.io/web", "a host"),
        ("r.io:0/web", "a host"),
        ("r.io:99999/web", "a host"),
        ("-r.io/web", "a host"),
        ("user@r.io/web", "'@sha256:' and 64"),
        ("a//b", "[HOST"),
        ("a..b", "[HOST"),
        ("web /a", "[HOST"),
        ("a" * 256, "a name of at most 255"),
        ("0123456789abcdef" * 4, "a name, not the id of an image"),
    ],
)  # fmt: skip
def test_what_names_no_image_says_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_image(text)
    assert expected in str(caught.value)


@given(st.text(max_size=40))
def test_every_text_is_an_image_or_a_sentence(text: str) -> None:
    try:
        found = parse_image(text)
    except ValueError as exc:
        assert str(exc)
    else:
        assert str(parse_image(str(found))) == str(found)


def test_a_pinned_image_keeps_its_name_as_written() -> None:
    assert parse_image("nginx:1.25").at(D) == f"nginx@{D}"
    assert parse_image("localhost:5000/web").at(D) == f"localhost:5000/web@{D}"


@pytest.mark.parametrize(
    ("server", "registry"),
    [
        ("docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("acme.azurecr.io", "acme.azurecr.io"),
        (" https://ACME.azurecr.io ", "acme.azurecr.io"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_a_credential_is_for_a_registry_however_its_server_is_written(
    server: str, registry: str
) -> None:
    assert registry_of(server) == registry


def test_a_pull_event_tells_a_digest_where_azure_wrote_one() -> None:
    assert pulled_digest(f'Successfully pulled image "alpine@{D}"') == D
    assert pulled_digest('Successfully pulled image "nginx:latest"') == ""
    assert pulled_digest("Successfully pulled image aaa@foo.com256:12") == ""


def test_an_image_is_an_index_or_any_part_of_it() -> None:
    other = f"sha256:{'1' * 64}"
    assert Lookup(image="nginx", digest=D).names(D)
    assert not Lookup(image="nginx", digest=D).names(other)
    assert Lookup(image="nginx", digest=D, members=frozenset({other})).names(other)


def test_a_password_is_in_no_text() -> None:
    assert "hunter2" not in repr(Login("alice", "hunter2"))


def test_digests_are_told_apart_by_twelve_digits() -> None:
    assert short(D) == "sha256:0123456789ab"
    assert is_digest(f"sha512:{'a' * 128}")
    assert not is_digest("sha512:aa")
