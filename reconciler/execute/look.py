"""One look at one group."""

from __future__ import annotations

from reconciler.core.cloud import Cloud
from reconciler.core.groups import LiveGroup, live_group
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import Json
from reconciler.errors import AzureError


def view(cloud: Cloud, group: GroupId) -> LiveGroup | None:
    """One group with its instance view, None where it does not exist."""
    body = cloud.group(group)
    return None if body is None else live_of(body)


def live_of(body: Json) -> LiveGroup:
    """The live group in an answer.

    Raises:
        AzureError: the answer has no usable id, or is too deep.
    """
    try:
        return live_group(body)
    except ValueError as exc:
        raise AzureError(f"an answer without a usable id: expected {exc}", verb="read") from exc
    except RecursionError:
        raise AzureError("an answer of too many levels", verb="read") from None
