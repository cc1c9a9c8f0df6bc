"""Storage accounts and Log Analytics workspaces, as far as their keys go.

Source: the REST references of Microsoft.Storage 2021-04-01 (StorageAccounts) and of
Microsoft.OperationalInsights 2020-08-01 (Workspaces, SharedKeys). Simpler than Azure: an account is
there at once, and its name may be taken in another resource group too. No key is stored: it follows
from the resource's id and from how often it was renewed, so it outlives the process.
"""

from __future__ import annotations

import re
import uuid
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha512

from reconciler.emulator.errors import (
    bad_request,
    invalid_content,
    not_modelled,
    resource_not_found,
)
from reconciler.emulator.facts import Foreign, region_of
from reconciler.emulator.jsonval import Json, JsonObject, as_number, as_object, as_text
from reconciler.emulator.world import Call, Reply, World, body_of

STORAGE = "Microsoft.Storage/storageAccounts"
WORKSPACES = "Microsoft.OperationalInsights/workspaces"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    type: str
    name: re.Pattern[str]
    code: str  # of the refusal of another name
    grammar: str
    keys: tuple[str, ...]


_KINDS = (
    _Kind(
        type=STORAGE,
        name=re.compile(r"[a-z0-9]{3,24}"),
        code="AccountNameInvalid",
        grammar="is not a valid storage account name. Storage account name must be between 3 and "
        "24 characters in length and use numbers and lower-case letters only.",
        keys=("key1", "key2"),
    ),
    _Kind(
        type=WORKSPACES,
        name=re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]"),
        code="InvalidParameter",
        grammar="is not a valid workspace name: 4 to 63 letters, digits and '-' are.",
        keys=("primarySharedKey", "secondarySharedKey"),
    ),
)


def put_holder(world: World, call: Call) -> Reply:
    """201 for a new one, 200 for one that is there, whose keys stay."""
    kind, name = _kind(call), call.args["holder"]
    home = world.writable_resource_group(call.args["subscription"], call.args["rg"])
    if not kind.name.fullmatch(name):
        raise bad_request(kind.code, f"{name} {kind.grammar}")
    sent = {key.lower(): value for key, value in body_of(call).items()}
    location = as_text(sent.get("location"))
    if not location:
        raise bad_request(
            "LocationRequired", "The location property is required for this definition."
        )
    place = f"{home.id}/providers/{kind.type}/{name}"
    before = world.records.placed_at(place)
    found = replace(
        before or Foreign(id=place, name=name, type=kind.type),
        location=region_of(location),
        tags=as_object(sent.get("tags")),
    )
    world.records.place(home.subscription, home.name, found)
    return Reply(status=200 if before else 201, body=_shown(found))


def get_holder(world: World, call: Call) -> Reply:
    """200 without any key, or 404."""
    return Reply(status=200, body=_shown(_found(world, call)))


def delete_holder(world: World, call: Call) -> Reply:
    """200, or 204 where there was none."""
    place = _place(world, call)
    if world.records.placed_at(place) is None:
        return Reply(status=204)
    world.records.take_away(place)
    return Reply(status=200)


def list_account_keys(world: World, call: Call) -> Reply:
    """Both keys of a storage account."""
    return Reply(status=200, body=_account_keys(_found(world, call)))


def renew_account_key(world: World, call: Call) -> Reply:
    """Another value for the key that is named; the answer has both."""
    wanted = as_text(body_of(call).get("keyName")).lower()
    if wanted not in _kind(call).keys:
        raise invalid_content(f"the value '{wanted}' at '/keyName' is neither 'key1' nor 'key2'.")
    return Reply(status=200, body=_account_keys(_renewed(world, call, [wanted])))


def list_workspace_keys(world: World, call: Call) -> Reply:
    """Both keys of a workspace."""
    return Reply(status=200, body=_workspace_keys(_found(world, call)))


def renew_workspace_keys(world: World, call: Call) -> Reply:
    """Other values for both keys of a workspace."""
    found = _renewed(world, call, _kind(call).keys)
    return Reply(status=200, body=_workspace_keys(found))


def _kind(call: Call) -> _Kind:
    path = call.path.lower()
    for kind in _KINDS:
        if f"/{kind.type.lower()}/" in path:
            return kind
    raise not_modelled(call.path)


def _place(world: World, call: Call) -> str:
    home = world.resource_group(call.args["subscription"], call.args["rg"])
    return f"{home.id}/providers/{_kind(call).type}/{call.args['holder']}"


def _found(world: World, call: Call) -> Foreign:
    found = world.records.placed_at(_place(world, call))
    if found is None:
        raise resource_not_found(_kind(call).type, call.args["holder"], call.args["rg"])
    return found


def _renewed(world: World, call: Call, names: Iterable[str]) -> Foreign:
    found = _found(world, call)
    more: JsonObject = {name: _times(found, name) + 1 for name in names}
    found = replace(found, rotations=found.rotations | more)
    world.records.place(call.args["subscription"], call.args["rg"], found)
    return found


def _times(holder: Foreign, name: str) -> int:
    return int(as_number(holder.rotations.get(name)))


def _key(holder: Foreign, name: str) -> str:
    """64 bytes in base64, as both services have them."""
    origin = f"{holder.id.lower()}\n{name}\n{_times(holder, name)}"
    return b64encode(sha512(origin.encode()).digest()).decode("ascii")


def _account_keys(account: Foreign) -> JsonObject:
    keys: list[Json] = [
        {"keyName": name, "value": _key(account, name), "permissions": "FULL"}
        for name in ("key1", "key2")
    ]
    return {"keys": keys}


def _workspace_keys(workspace: Foreign) -> JsonObject:
    return {name: _key(workspace, name) for name in ("primarySharedKey", "secondarySharedKey")}


def _shown(holder: Foreign) -> JsonObject:
    properties: JsonObject = {"provisioningState": "Succeeded"}
    if holder.type == WORKSPACES:
        properties["customerId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, holder.id.lower()))
    return {
        "id": holder.id,
        "name": holder.name,
        "type": holder.type,
        "location": holder.location,
        "tags": holder.tags,
        "properties": properties,
    }
