"""Snapshots on disk: written by whoever may ask Azure, read by whoever may not."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.documents import checked, read_document
from reconciler.cli.files import check_writable, write_file
from reconciler.cli.loading import applied_of, consent_of, history_of, loaded_for, wanted_for
from reconciler.cli.options import Options
from reconciler.core.ids import ResourceGroupId, parse_group_id
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.app import Recalled, Wanted
    from reconciler.core.ownership import SecretKey
    from reconciler.core.plan import Plan
    from reconciler.core.snapshot import Snapshot
    from reconciler.manifest import Project

_AGAIN = "make one with 'aci-reconcile snapshot FILE'"
_STDOUT = Path("-")


def snapshot(options: Options) -> ExitCode:
    """Keep what Azure holds, without what people put secrets into."""
    from reconciler import app
    from reconciler.cli.connection import azure
    from reconciler.cli.secrets import resolved

    path = options.file or _STDOUT
    _check_place(path)
    loaded = loaded_for(options)
    if isinstance(loaded, ExitCode):
        return loaded
    project, desired = loaded
    with azure(options, cloud=project.cloud) as opened:
        wanted = wanted_for(options, project, desired, prunes=False)
        wanted, connected, doubts = resolved(wanted, opened, project, writes=False)
        taken = app.take(wanted, connected)
    for doubt in doubts:
        Console(options).say(str(doubt))
    text = _written(taken)
    if path == _STDOUT:
        sys.stdout.write(text)
    else:
        write_file(path, text, hint=_ELSEWHERE)
    Console(options).say(_told(taken, path))
    return ExitCode.DONE


_ELSEWHERE = "give another path"


def _check_place(path: Path) -> None:
    if path.suffix.lower() in (".yaml", ".yml"):
        says = f"{path}: expected a file for the snapshot, got one that may hold a manifest"
        raise UsageError(says, hint="give it another name, such as live.json")
    if path != _STDOUT:
        check_writable(path, hint=_ELSEWHERE)


def _told(taken: Snapshot, path: Path) -> str:
    place = "stdout" if path == _STDOUT else str(path)
    values = f"values as digests under key {taken.key_id}" if taken.key_id else "values left out"
    from reconciler.report.words import plural

    groups = plural(len(taken.groups), "group")
    return f"{groups} of subscription {taken.subscription} in {place}, {values}"


def _written(taken: Snapshot) -> str:
    from reconciler.report.as_json import API_VERSION, instant

    homes: list[Json] = [
        {"name": home.id.name, "location": home.location} for home in taken.resource_groups
    ]
    document: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": "Snapshot",
        "takenAt": instant(taken.taken) if taken.taken is not None else None,
        "owner": taken.owner,
        "subscription": taken.subscription,
        "keyId": taken.key_id,
        "notes": list(taken.notes),
        "resourceGroups": homes,
        "value": list(taken.groups),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def plan_of(options: Options, project: Project, wanted: Wanted) -> Plan:
    """The plan against a snapshot; Azure is not asked.

    Raises:
        UsageError: the file holds no snapshot; the message says where and what was expected.
        PlanRefused: it is of another subscription, or for another owner.
    """
    from reconciler import app

    recalled = _recalled(options, project, wanted)
    return app.plan_against(
        wanted,
        recalled,
        consent_of(options),
        history=history_of(project, wanted),
        applied=applied_of(options, project, wanted),
    )


def _recalled(options: Options, project: Project, wanted: Wanted) -> Recalled:
    from reconciler import app
    from reconciler.core.binding import AsOf

    path = options.live
    assert path is not None
    found = _read(path, wanted)
    key = _key(project)
    return app.Recalled(snapshot=found, as_of=AsOf(file=str(path), taken=found.taken), key=key)


def _key(project: Project) -> SecretKey | None:
    """The key as far as it can be had without asking Azure."""
    import os

    from reconciler.cli.connection import checked_key, secret_key
    from reconciler.manifest.references import from_environment

    source = project.secret_key
    if (key := secret_key()) is not None or source is None or source.reference is not None:
        return key
    text = from_environment(source.variable, os.environ).value
    return checked_key(text, named_by=f"{source.where}: secretKey") if text else None


def _read(path: Path, wanted: Wanted) -> Snapshot:
    """The snapshot in a file, or the LIST answer that it holds as Azure gave it."""
    document = read_document(path, expected="a snapshot in JSON", hint=_AGAIN)
    if document.get("kind") != "Snapshot" and "value" in document:
        return _answer(path, document, wanted)
    if document.get("kind") != "Snapshot":
        raise UsageError(
            f"{path}: expected a snapshot, or a LIST answer of Azure,"
            f" got a document of the kind {document.get('kind')!r}",
            hint=_AGAIN,
        )
    checked(path, document, "snapshot", hint=_AGAIN)
    from reconciler.core.groups import LiveResourceGroup
    from reconciler.core.snapshot import Snapshot

    subscription = as_text(document.get("subscription"))
    homes = tuple(
        LiveResourceGroup(
            id=ResourceGroupId(subscription=subscription, name=as_text(home.get("name"))),
            location=as_text(home.get("location")),
            tags={},
        )
        for home in map(as_object, as_list(document.get("resourceGroups")))
    )
    return Snapshot(
        subscription=subscription,
        owner=as_text(document.get("owner")),
        taken=_instant(path, as_text(document.get("takenAt"))),
        key_id=as_text(document.get("keyId")),
        groups=_groups(path, document),
        resource_groups=homes,
        notes=tuple(as_text(note) for note in as_list(document.get("notes"))),
    )


def _instant(path: Path, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        says = f"{path}: /takenAt: expected a time, got {text!r}"
        raise UsageError(says, hint=_AGAIN) from exc


def _answer(path: Path, document: JsonObject, wanted: Wanted) -> Snapshot:
    """What Azure itself answered, saved by another client: whole, and of this subscription."""
    from reconciler.core.snapshot import Snapshot

    if document.get("nextLink"):
        raise UsageError(
            f"{path}: /nextLink: expected the whole answer, got one page of it", hint=_AGAIN
        )
    groups = _groups(path, document)
    subscriptions = {parse_group_id(as_text(group.get("id"))).subscription for group in groups}
    others = sorted(s for s in subscriptions if s.lower() != wanted.subscription.lower())
    subscription = others[0] if others else wanted.subscription
    return Snapshot(subscription=subscription, groups=groups, is_whole=True)


def _groups(path: Path, document: JsonObject) -> tuple[JsonObject, ...]:
    """The bodies, each of a container group as ARM writes it."""
    value = document.get("value")
    if not isinstance(value, list):
        raise UsageError(f"{path}: /value: expected a list of container groups", hint=_AGAIN)
    found = []
    for number, body in enumerate(value):
        where = f"{path}: /value/{number}"
        if not isinstance(body, dict) or not isinstance(body.get("properties"), dict):
            says = f"{where}: expected a container group as ARM writes it, with its 'properties'"
            raise UsageError(says, hint=_AGAIN)
        try:
            parse_group_id(as_text(body.get("id")))
        except ValueError as exc:
            raise UsageError(f"{where}/id: expected {exc}", hint=_AGAIN) from exc
        found.append(body)
    return tuple(found)
