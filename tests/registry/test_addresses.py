"""Where requests and credentials may go."""

from __future__ import annotations

import pytest

from reconciler.registry.addresses import base_url, may_follow, origin_of


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("registry-1.docker.io", "https://registry-1.docker.io"),
        ("acme.azurecr.io:443", "https://acme.azurecr.io:443"),
        ("localhost:5000", "http://localhost:5000"),
        ("127.1.2.3", "http://127.1.2.3"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("localhost.example", "https://localhost.example"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
    ],
)
def test_plain_http_is_for_this_machine_alone(host: str, url: str) -> None:
    assert base_url(host) == url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example/x?y", "https://a.example"),
        ("https://A.example:443/", "https://a.example"),
        ("http://[::1]:5000/", "http://[::1]:5000"),
        ("https://a.example:8443", "https://a.example:8443"),
        ("ftp://a.example/", ""),
        ("https:///x", ""),
        ("https://a\\@b/", ""),
        ("https://ä.example/", ""),
    ],
)
def test_one_origin_has_one_spelling(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("url", "link", "leads_to"),
    [
        ("https://a/v2/x", "/v2/y", "https://a/v2/y"),
        ("https://a/v2/x", "https://b/y", "https://b/y"),
        ("https://a/v2/x", "http://localhost/y", ""),
        ("https://a/v2/x", "//u:p@b/y", ""),
        ("http://localhost:1/x", "http://127.0.0.1:2/y", "http://127.0.0.1:2/y"),
        ("http://localhost:1/x", "http://a/y", ""),
        ("http://localhost:1/x", "https://a/y", "https://a/y"),
    ],
)
def test_a_link_never_leads_from_https_to_http(url: str, link: str, leads_to: str) -> None:
    assert may_follow(url, link) == leads_to
