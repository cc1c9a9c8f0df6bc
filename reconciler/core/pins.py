"""The images of a group by digest: pinned in what is sent, or only looked up.

Azure echoes an image as it was sent and resolves nothing (azure-facts C.1).
"""

from __future__ import annotations

import copy
import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.groups import DesiredGroup, put_at
from reconciler.core.images import Images, Lookup, parse_image
from reconciler.core.jsonval import Json, JsonObject, Path, as_object, dig
from reconciler.core.normalise import canonical
from reconciler.core.places import wire_path

_MEMBERS = ("containers", "initContainers")
_IMAGE = ("properties", "image")
NOT_ASKED = "no registry was asked"

# In the state tag, an image takes so many characters.
KEY_DIGITS = 4
MARK_DIGITS = 8


def images_of(form: JsonObject) -> Mapping[Path, str]:
    """The image of each container in a canonical form, init containers included, by path."""
    properties = form.get("properties")
    return {
        ("properties", member, name, *_IMAGE): image
        for member in _MEMBERS
        for name, container in sorted(as_object(dig(properties, member)).items())
        if isinstance(image := dig(container, *_IMAGE), str)
    }


def tagged(desired: DesiredGroup) -> Mapping[Path, str]:
    """The images that are named by tag and that Azure is to run as the manifest says."""
    ignored = desired.policy.ignore
    return {
        path: image
        for path, image in images_of(desired.canonical).items()
        if "@" not in image and not any(path[: len(one)] == one for one in ignored)
    }


def with_lookups(desired: DesiredGroup, found: Mapping[Path, Lookup]) -> DesiredGroup:
    """`desired` with what registries said; by its policy the digests stand in what is sent."""
    desired = replace(desired, images=found)
    if desired.policy.images is Images.TAG:
        return desired
    images = tagged(desired)
    pinned = {
        path: parse_image(images[path]).at(lookup.digest)
        for path, lookup in found.items()
        if lookup.digest and path in images
    }
    return with_images(desired, pinned)


def with_images(desired: DesiredGroup, images: Mapping[Path, str]) -> DesiredGroup:
    """`desired` with other images at some of the paths."""
    if not images:
        return desired
    body = copy.deepcopy(desired.body)
    for path, image in images.items():
        put_at(body, wire_path(body, path), image)
    return replace(desired, body=body, canonical=canonical(body))


def unpinned(desired: DesiredGroup) -> Mapping[Path, str]:
    """The images that are to be sent by digest and of which none is known, with the reason."""
    if desired.policy.images is Images.TAG:
        return {}
    found = desired.images
    return {path: found[path].reason if path in found else NOT_ASKED for path in tagged(desired)}


def looked_up(desired: DesiredGroup) -> Mapping[Path, Lookup]:
    """The lookups of images that are sent by tag."""
    if desired.policy.images is Images.DIGEST or not desired.images:
        return {}
    images = tagged(desired)
    return {path: lookup for path, lookup in desired.images.items() if path in images}


def image_marks(desired: DesiredGroup) -> Mapping[str, str]:
    """What the state tag remembers of tags that are written as they are: digits, by a mark each."""
    images = images_of(desired.canonical)
    return {
        image_mark(path, images[path]): marked_digest(lookup.digest)
        for path, lookup in looked_up(desired).items()
        if lookup.digest
    }


def digests_of(desired: DesiredGroup) -> Json:
    """The digests that tags pointed at, to be recognised by; None where nobody looked."""
    found = looked_up(desired)
    return {"/".join(path): lookup.digest for path, lookup in sorted(found.items())} or None


def image_mark(path: Path, image: str) -> str:
    """What stands in the state tag for one image, as it is written, of one container."""
    text = json.dumps([path, image])
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest).decode("ascii")[:KEY_DIGITS]


def marked_digest(digest: str) -> str:
    """The first digits of a digest: all that the state tag has room for."""
    return digest.partition(":")[2][:MARK_DIGITS]
