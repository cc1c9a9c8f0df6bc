"""Pages and the opaque links between them. Their real shape is not established (I10)."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from reconciler.emulator.errors import bad_request
from reconciler.emulator.world import Call


def next_link(call: Call, *after: str) -> str:
    """The URL of the page that begins after the item `after`."""
    token = base64.urlsafe_b64encode(json.dumps(after).encode()).decode()
    return (
        f"{call.base}{quote(call.path)}?api-version={quote(call.version)}"
        f"&%24skiptoken={quote(token)}"
    )


def read_token(call: Call) -> tuple[str, str]:
    """The item that the asked page begins after; two empty names for the first page.

    Raises:
        Refusal: the token is none of ours.
    """
    token = call.query.get("$skiptoken")
    if not token:
        return ("", "")
    try:
        first, second = json.loads(base64.urlsafe_b64decode(token.encode()))
    except ValueError as exc:
        raise bad_request("InvalidSkipToken", "The provided skip token is not valid.") from exc
    return (str(first), str(second))
