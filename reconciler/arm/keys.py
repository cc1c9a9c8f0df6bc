"""The keys of storage accounts and workspaces: one POST each, which changes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from reconciler.arm.exchange import Exchange
from reconciler.arm.hints import keys_hint
from reconciler.arm.translate import translated
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text
from reconciler.core.references import HolderKind, KeyHolder
from reconciler.errors import AzureError, Unavailable

# Old, and therefore spoken by every cloud; both are stable, and the keys are all we ask.
_ACTIONS = {
    HolderKind.STORAGE_ACCOUNT: "listKeys?api-version=2021-04-01",
    HolderKind.WORKSPACE: "sharedKeys?api-version=2020-08-01",
}
# ARM names the action, which the hint says with a role, and the scope, which the target is.
_DENIED = re.compile(r"\A(The client .{1,200}?) does not have authorization to perform action .*")
_SHARED = {"primarySharedKey": "primary", "secondarySharedKey": "secondary"}


def read_keys(arm: Exchange, holder: KeyHolder) -> Mapping[str, str]:
    """The keys of `holder` by name: `key1`, `key2`, or `primary`, `secondary`.

    Source: the REST references of `StorageAccounts_ListKeys` and `SharedKeys_GetSharedKeys`.

    Raises:
        AzureError: Azure refused, has no such resource, was not reached, or told no keys.
    """
    target = f"keys of {holder}"
    with translated("read", target):
        try:
            answer = arm.told(_path_of(holder), target)
        except AzureError as error:
            error.hint = keys_hint(holder, error) or error.hint
            error.says = _DENIED.sub(r"\1 may not", error.says)
            raise
        if not (found := _keys_in(answer, holder.kind)):
            # Nothing of the answer is shown: it may hold the keys in another wrapping.
            raise Unavailable("the answer holds no keys", status=200)
        return found


def _path_of(holder: KeyHolder) -> str:
    subscription, group, name = (
        quote(part, safe="") for part in (holder.subscription, holder.resource_group, holder.name)
    )
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return f"{scope}/providers/{holder.kind.value}/{name}/{_ACTIONS[holder.kind]}"


def _keys_in(answer: JsonObject, kind: HolderKind) -> Mapping[str, str]:
    if kind is HolderKind.WORKSPACE:
        pairs: list[tuple[str, Json]] = [(name, answer.get(key)) for key, name in _SHARED.items()]
    else:
        entries = map(as_object, as_list(answer.get("keys")))
        pairs = [(as_text(entry.get("keyName")).lower(), entry.get("value")) for entry in entries]
    return {name: value for name, value in pairs if name and isinstance(value, str) and value}
