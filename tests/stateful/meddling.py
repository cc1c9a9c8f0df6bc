"""What others do to Azure behind our back."""

from __future__ import annotations

import copy
from typing import Any

import requests
from hypothesis import strategies as st

from reconciler.core.ownership import OWNER_TAG, STATE_TAG
from reconciler.emulator import Emulator
from tests.conftest import group
from tests.stateful import drawing
from tests.stateful.drawing import Wire

Key = tuple[str, str]  # resource group and name

meddlings = st.one_of(
    st.tuples(st.just("edit"), drawing.edits),
    st.tuples(st.just("rewrite"), st.sampled_from(["x"]).flatmap(drawing.manifests)),
    st.tuples(
        st.just("tag"),
        st.tuples(st.sampled_from(["policy", "bill", "team"]), st.sampled_from([None, "x", "y"])),
    ),
    st.tuples(st.just("owner"), st.sampled_from([None, *drawing.OWNERS])),
    st.tuples(
        st.just("state"), st.sampled_from([None, "", "1;short", "9;future", "truncated", "junk"])
    ),
    st.tuples(st.just("copy tags"), drawing.names),
    st.tuples(st.just("post"), st.sampled_from(["stop", "start", "restart"])),
    st.tuples(st.just("look"), st.just(None)),
    st.tuples(st.just("fail"), st.just(None)),
    st.tuples(st.just("delete"), st.just(None)),
    st.tuples(st.just("create"), st.sampled_from([None, "theirs", "shop"])),
)


class Others:
    """Everybody else with access to the subscription."""

    def __init__(self, emulator: Emulator, subscription: str) -> None:
        self._emulator = emulator
        self._subscription = subscription

    def meddle(self, key: Key, meddling: tuple[str, Any]) -> None:
        """Do one thing to one group; to one that does not exist only creating it is possible."""
        what, value = meddling
        if what == "create":
            self._create(key, value)
        elif key in self._live():
            {
                "edit": self._edit,
                "rewrite": self._rewrite,
                "tag": self._tag,
                "owner": self._owner,
                "state": self._state,
                "copy tags": self._copy_tags,
                "post": self._post,
                "look": self._look,
                "fail": self._fail,
                "delete": self._delete,
            }[what](key, value)

    def _live(self) -> dict[Key, Wire]:
        return {
            (one["id"].split("/")[4].lower(), one["name"].lower()): one
            for one in self._emulator.groups(self._subscription)
        }

    def _change(self, key: Key, mutate: Any) -> None:
        self._emulator.change(self._subscription, *key, mutate)

    def _edit(self, key: Key, edit: tuple[str, Any]) -> None:
        def mutate(body: Wire) -> None:
            changed = drawing.resolved(drawing.edited(body, edit), {})
            # A region is for ever, and a body has one.
            changed["location"] = body["location"]
            body.clear()
            body.update(changed)

        self._change(key, mutate)

    def _rewrite(self, key: Key, manifest: Wire) -> None:
        properties = drawing.resolved(manifest["properties"], {})
        self._change(key, lambda body: body.update(properties=properties))

    def _tag(self, key: Key, tag: tuple[str, str | None]) -> None:
        self._set_tag(key, *tag)

    def _owner(self, key: Key, owner: str | None) -> None:
        self._set_tag(key, OWNER_TAG, owner)

    def _state(self, key: Key, state: str | None) -> None:
        tags = self._live()[key].get("tags") or {}
        now = tags.get(STATE_TAG, "")
        if state == "truncated":
            state = now[:30]
        elif state == "junk":
            state = f"{now};zzz;n1"
        self._set_tag(key, STATE_TAG, state)

    def _copy_tags(self, key: Key, source: str) -> None:
        for (_, name), live in self._live().items():
            if name == source:
                for tag in (OWNER_TAG, STATE_TAG):
                    self._set_tag(key, tag, (live.get("tags") or {}).get(tag))

    def _set_tag(self, key: Key, name: str, value: str | None) -> None:
        def mutate(body: Wire) -> None:
            kept = {k: v for k, v in (body.get("tags") or {}).items() if k.lower() != name.lower()}
            body["tags"] = kept | ({name: value} if value is not None else {})

        self._change(key, mutate)

    def _post(self, key: Key, verb: str) -> None:
        self._http("POST", key, f"/{verb}")

    def _look(self, key: Key, _: None) -> None:
        """Time passes by being looked at: a task ends, a transition comes to its end."""
        for _number in range(3):
            self._http("GET", key)

    def _fail(self, key: Key, _: None) -> None:
        body: Wire = {}
        self._change(key, lambda live: body.update(copy.deepcopy(live)))
        self._emulator.given(self._subscription, *key, body, failure="no capacity")

    def _delete(self, key: Key, _: None) -> None:
        self._http("DELETE", key)

    def _create(self, key: Key, owner: str | None) -> None:
        body = {"location": "westeurope", "properties": group(key[1])["properties"]}
        body["tags"] = {OWNER_TAG: owner} if owner else {"bill": "theirs"}
        self._emulator.given(self._subscription, *key, body)

    def _http(self, method: str, key: Key, more: str = "") -> None:
        """A request of somebody else's; whether Azure takes it is their business."""
        home, name = key
        path = (
            f"/subscriptions/{self._subscription}/resourceGroups/{home}"
            f"/providers/Microsoft.ContainerInstance/containerGroups/{name}{more}"
        )
        url = f"{self._emulator.url}{path}?api-version=2023-05-01"
        requests.request(method, url, timeout=10)
