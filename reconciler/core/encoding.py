"""Base64 as secret volumes hold it."""

from __future__ import annotations

import base64
import binascii

NOT_BASE64 = (
    "expected base64, which is what secret volumes hold, got another text; "
    "try 'encode: base64' beside a reference"
)


def is_base64(text: str) -> bool:
    """Whether Azure would take `text` for a file of a secret volume; line breaks are no matter."""
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
