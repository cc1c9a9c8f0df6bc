"""One group as the rules look at it: its parts beside their places, made once a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.finding import Finding
from reconciler.core.jsonval import Json, JsonObject, WirePath, as_list, as_object, as_text, dig
from reconciler.manifest.document import Document
from reconciler.manifest.rules import finding
from reconciler.manifest.wording import shown_path

_HERE: WirePath = ("properties",)


@dataclass(frozen=True, slots=True)
class Part:
    """An object of the document and where it stands."""

    path: WirePath
    data: JsonObject

    def part(self, *names: str) -> Part:
        """The object that `names` lead to; empty where there is none."""
        return Part((*self.path, *names), as_object(dig(self.data, *names)))

    def parts(self, name: str) -> Iterator[Part]:
        """The objects of a list."""
        for index, item in enumerate(as_list(self.data.get(name))):
            if isinstance(item, dict):
                yield Part((*self.path, name, index), item)

    def at(self, name: str) -> WirePath:
        """Where a member stands."""
        return (*self.path, name)

    def text(self, name: str) -> str:
        """A member that is a string; empty for any other."""
        return as_text(self.data.get(name))


@dataclass(frozen=True, slots=True)
class Container:
    """A container or an init container: what names it, and what it is."""

    whole: Part
    inside: Part

    @property
    def name(self) -> str:
        """Its name; empty where it has none."""
        return self.whole.text("name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A container group; values may be of any type, where the schema has said so."""

    document: Document
    whole: Part
    inside: Part  # `properties`
    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...]
    volumes: tuple[Part, ...]
    address: Part
    subscription: str
    location: str

    @property
    def every_container(self) -> tuple[Container, ...]:
        """Init containers and containers."""
        return (*self.init_containers, *self.containers)

    @property
    def is_spot(self) -> bool:
        """Whether Azure may take its machine away."""
        return self.inside.data.get("priority") == "Spot"

    @property
    def is_confidential(self) -> bool:
        """Whether it runs where not even Azure can look."""
        return self.inside.data.get("sku") == "Confidential"

    @property
    def is_windows(self) -> bool:
        """Whether its containers run on Windows."""
        return self.inside.data.get("osType") == "Windows"

    @property
    def has_subnet(self) -> bool:
        """Whether it is inside a virtual network."""
        return bool(as_list(self.inside.data.get("subnetIds")))

    def say(self, rule: str, path: WirePath, says: str, hint: str = "") -> Finding:
        """A finding at the value that `path` leads to, or at the nearest around it."""
        where = self.document.at(path)
        return finding(rule, where, says, path=shown_path(path), hint=hint)

    def line_of(self, path: WirePath) -> int:
        """The line of a value."""
        return self.document.at(path).mark.line


GroupRule: TypeAlias = Callable[[Group], Iterator[Finding]]


def view_of(document: Document, *, subscription: str, location: str) -> Group:
    """The parts of a document. Total."""
    whole = Part((), document.data)
    inside = Part(_HERE, as_object(document.data.get("properties")))
    return Group(
        document=document,
        whole=whole,
        inside=inside,
        containers=tuple(_containers(inside, "containers")),
        init_containers=tuple(_containers(inside, "initContainers")),
        volumes=tuple(inside.parts("volumes")),
        address=inside.part("ipAddress"),
        subscription=subscription,
        location=as_text(document.data.get("location")) or location,
    )


def _containers(inside: Part, member: str) -> Iterator[Container]:
    for whole in inside.parts(member):
        yield Container(whole, whole.part("properties"))


def amount(value: Json) -> float | None:
    """A number; None for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and isinstance(value, int | float) else None
