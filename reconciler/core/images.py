"""Image references, and what a registry says of them: a tag is a name that may move, a digest not.

Source of the grammar: the `reference` package of the distribution project and the OCI distribution
specification (repository, tag and digest); of the defaults: Docker, whose clients read `nginx` as
`docker.io/library/nginx:latest`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

_HUB = "docker.io"
_HUB_NAMES = frozenset({_HUB, "index.docker.io", "registry-1.docker.io"})
_HUB_HOST = "registry-1.docker.io"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::(?P<port>[0-9]{{1,5}}))?")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LONGEST_NAME = 255
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")
_SHORT = 12  # hexadecimal digits, as Docker shows them


class Images(Enum):
    """What is sent to Azure for an image."""

    TAG = "tag"  # as it is written
    DIGEST = "digest"  # the digest that its tag points at when the plan is made


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """An image by its full name. `name` is the name as written, without tag and digest.

    `tag` is `latest` where neither is written; empty with a digest alone.
    """

    name: str
    registry: str  # `docker.io`, or a host with its port
    repository: str
    tag: str
    digest: str = ""

    @property
    def host(self) -> str:
        """The host to ask, with its port: Docker Hub's API lives elsewhere than its name says."""
        return _HUB_HOST if self.registry == _HUB else self.registry

    @property
    def full_name(self) -> str:
        """The same for all ways to write it, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def target(self) -> str:
        """What a registry is asked for: a digest wins over the tag beside it."""
        return self.digest or self.tag

    def __str__(self) -> str:
        parts = (f"{mark}{part}" for mark, part in ((":", self.tag), ("@", self.digest)) if part)
        return self.full_name + "".join(parts)

    def at(self, digest: str) -> str:
        """The text that names this image by digest, its name as written."""
        return f"{self.name}@{digest}"


def parse_image(text: str) -> ImageReference:
    """The image that a text names.

    Raises:
        ValueError: it names none; the message goes on after "expected".
    """
    rest, at, digest = text.partition("@")
    if at and not is_digest(digest):
        raise ValueError("'@sha256:' and 64 hexadecimal digits in lower case after the name")
    head, slash, last = rest.rpartition("/")
    last, colon, tag = last.partition(":")
    name = head + slash + last
    if colon and not _TAG.fullmatch(tag):
        raise ValueError("a tag of at most 128 letters, digits, '_', '.' or '-' after ':'")
    registry, repository = _split(name)
    if not _REPOSITORY.fullmatch(repository):
        if _REPOSITORY.fullmatch(repository.lower()):
            raise ValueError("a repository name in lower case")
        raise ValueError("[HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST]")
    if _IMAGE_ID.fullmatch(name):
        raise ValueError("a name, not the id of an image on one machine")
    if len(f"{registry}/{repository}") > _LONGEST_NAME:
        raise ValueError(f"a name of at most {_LONGEST_NAME} characters")
    if registry == _HUB and "/" not in repository:
        repository = f"library/{repository}"
    tag = tag or ("" if digest else "latest")
    return ImageReference(
        name=name, registry=registry, repository=repository, tag=tag, digest=digest
    )


def _split(name: str) -> tuple[str, str]:
    """Host and repository: the first part is a host only where it looks like one."""
    first, slash, rest = name.partition("/")
    if not slash or not (first == "localhost" or {*first} & {".", ":"} or first != first.lower()):
        return _HUB, name
    found = _HOST.fullmatch(first)
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise ValueError(f"a host, with or without a port, before the first '/', got '{first}'")
    host = first.lower()
    return (_HUB if host in _HUB_NAMES else host), rest


def registry_of(server: str) -> str:
    """The registry that a credential is for, as in `ImageReference.registry`.

    Docker Hub is written in many ways, `https://index.docker.io/v1/` among them.
    """
    host = re.sub("^https?://", "", server.strip().lower()).partition("/")[0]
    return _HUB if host in _HUB_NAMES else host


def is_digest(text: str) -> bool:
    """Whether a text is a digest that content can be checked against."""
    return _DIGEST.fullmatch(text) is not None


def short(digest: str) -> str:
    """A digest as people tell digests apart: `sha256:` and twelve digits."""
    algorithm, _, digits = digest.partition(":")
    return f"{algorithm}:{digits[:_SHORT]}"


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks a registry; the password is in no text."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What came of asking for one image: its digest, or the reason why there is none.

    `image` is the reference as it is written. `members` are the digests of an index's own
    manifests, where somebody needed to know them.
    """

    image: str
    digest: str = ""
    reason: str = ""
    members: frozenset[str] = frozenset()

    def names(self, digest: str) -> bool:
        """Whether an image of that digest is this one, or the part of it for one platform."""
        return digest == self.digest or digest in self.members


class Registries(Protocol):
    """The way to the registries of images.

    Of several logins the first that is taken is used; without any it is asked as nobody.
    """

    def digest(self, image: ImageReference, logins: Sequence[Login]) -> str:
        """The digest that the tag points at now.

        Raises:
            RegistryError: it cannot be had.
        """

    def members(
        self, image: ImageReference, digest: str, logins: Sequence[Login]
    ) -> frozenset[str]:
        """The digests of what an index holds, a manifest a platform; empty for what is no index.

        Raises:
            RegistryError: it cannot be had.
        """


def pulled_digest(message: str) -> str:
    """The digest in the text of a pull event, empty where the image is told by its tag.

    Azure writes `Successfully pulled image "nginx@sha256:…"`; until 2021 it wrote the reference as
    it was given (azure-facts E.4).
    """
    quoted = re.search(r'"[^"]*@(sha256:[0-9a-f]{64})"', message)
    return quoted[1] if quoted else ""
