"""What a response says: its body as JSON, the operation it started, when to come back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

from reconciler.core.cloud import Accepted, Kind, Left, Look, Operation
from reconciler.core.containers import events_in
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text, dig
from reconciler.core.remedies import Cause, remedy_for
from reconciler.errors import Unavailable

# The SDK's two kinds of response; both have `status_code`, `headers`, `reason` and `text()`.
Response: TypeAlias = Any


def request_id_of(response: Response) -> str:
    """What to name to Azure's support, or an empty text; nothing that could hold a secret."""
    text = str(response.headers.get("x-ms-request-id") or "")
    return text if re.fullmatch(r"[A-Za-z0-9:_.-]{1,100}", text) else ""


def retry_after_of(response: Response) -> float | None:
    """The seconds that `Retry-After` asks to wait; it may be a number or a date."""
    text = str(response.headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


def left_in(response: Response, kind: Kind) -> Left:
    """What the headers say of the rations that a request of this kind is counted in (F.4)."""
    return Left(
        in_subscription=_count_in(response, f"subscription-{kind.value}"),
        in_5_minutes=_count_in(response, "subscription-resource-requests-pt5m"),
        in_1_hour=_count_in(response, "subscription-resource-requests-pt1h"),
        is_refused=response.status_code == 429 and (kind is Kind.READ or _is_for_number(response)),
        retry_after_s=retry_after_of(response),
    )


def _is_for_number(response: Response) -> bool:
    """Whether a write was refused for its number: a conflict on a subnet is HTTP 429, too."""
    code, message = refusal_in(response)
    return remedy_for(status=429, code=code, message=message).cause is Cause.RATION


def _count_in(response: Response, what: str) -> int | None:
    text = str(response.headers.get(f"x-ms-ratelimit-remaining-{what}") or "").strip()
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def text_of(response: Response) -> str:
    """The body as text, whatever it is."""
    try:
        return str(response.text("utf-8-sig"))
    except UnicodeDecodeError:
        return ""


def refusal_in(response: Response) -> tuple[str, str]:
    """Azure's code and message, the messages of its details after its own."""
    try:
        body = as_object(json.loads(text_of(response)))
    except (ValueError, RecursionError):
        return "", ""
    error: JsonObject = as_object(body.get("error")) or body
    message = as_text(error.get("message"))
    details = [as_text(dig(item, "message")) for item in as_list(error.get("details"))]
    parts = [message, *(text for text in details[:3] if text and text not in message)]
    return as_text(error.get("code")), " ".join(part for part in parts if part)


def json_in(response: Response) -> Json:
    """The body, None where it is empty.

    Raises:
        Unavailable: it is not JSON, as the page of a proxy: what Azure did is not known.
    """
    text = text_of(response)
    if not text.strip():
        if response.status_code not in (202, 204) and _length(response):
            raise _unreadable(response, "is not text")
        return None
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        raise _unreadable(response, "is not JSON") from None
    return value


def object_in(response: Response) -> JsonObject:
    """The body, which has to be an object.

    Raises:
        Unavailable: it is anything else.
    """
    value = json_in(response)
    if not isinstance(value, dict):
        raise _unreadable(response, "is not a JSON object")
    return value


def _length(response: Response) -> bool:
    return str(response.headers.get("Content-Length") or "0") != "0"


def _unreadable(response: Response, what: str) -> Unavailable:
    return Unavailable(
        f"the answer {what}",
        hint="is the endpoint Azure Resource Manager, or does a proxy answer for it?",
        status=response.status_code,
        request_id=request_id_of(response) or None,
    )


def accepted_in(response: Response, *, with_body: bool) -> Accepted:
    """What a write was answered; `with_body` says that an object is due.

    A `Location` is an operation only with 202: with 201 it names the resource (RFC 9110 10.2.2).
    """
    return Accepted(
        body=object_in(response) if with_body else json_in(response),
        operation=_operation_in(response),
        request_id=request_id_of(response),
    )


def _operation_in(response: Response) -> Operation | None:
    wait = retry_after_of(response)
    if url := response.headers.get("Azure-AsyncOperation"):
        return Operation(url=str(url), retry_after_s=wait)
    if response.status_code == 202 and (url := response.headers.get("Location")):
        return Operation(url=str(url), is_location=True, retry_after_s=wait)
    return None


def look_at_status(response: Response) -> Look:
    """A look at an `Azure-AsyncOperation` URL: a status in the body (azure-facts A.3).

    Raises:
        Unavailable: there is no status in it.
    """
    body = object_in(response)
    status = as_text(body.get("status"))
    if not status:
        raise _unreadable(response, "has no status")
    is_failure = status.lower() in ("failed", "canceled", "cancelled")
    code, message = _failure_in(body) if is_failure else ("", "")
    return Look(
        status=status,
        error_code=code,
        error_message=message,
        request_id=request_id_of(response),
        retry_after_s=retry_after_of(response),
        events=events_in(dig(body, "properties", "events")),
    )


def look_at_location(response: Response) -> Look:
    """A look at a `Location` URL: 202 until it is done (azure-facts A.9)."""
    return Look(
        status="InProgress" if response.status_code == 202 else "Succeeded",
        request_id=request_id_of(response),
        retry_after_s=retry_after_of(response),
    )


def _failure_in(body: JsonObject) -> tuple[str, str]:
    code, message = as_text(dig(body, "error", "code")), as_text(dig(body, "error", "message"))
    if code.lower() not in ("", "failed"):
        return code, message
    # The code is then no more than "Failed" again; the last event tells (`InsufficientCapacity.`).
    for event in reversed([as_object(item) for item in as_list(dig(body, "properties", "events"))]):
        if as_text(event.get("type")).lower() != "normal" and as_text(event.get("name")):
            name = as_text(event.get("name")).rstrip(".")
            return name, message or as_text(event.get("message"))
    return code, message
