"""Who owns a live group, and what was last applied to it: two tags, no state file.

`aci-reconcile-owner` is plain. `aci-reconcile-state` is versioned and under 256 characters:
`1;ADDRESS;n1:HASH;s KEYID:DIGESTS;t KEYS;x FIELDS;i IMAGES;c COMMIT;p` (no blanks), the fields
after the second named by their first letter, any of them absent where there is nothing to say.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from reconciler.core.groups import DesiredGroup, LiveGroup, Secret
from reconciler.core.ids import GroupId
from reconciler.core.jsonval import Json, JsonObject, Path, as_list
from reconciler.core.normalise import NORMALISER_VERSION, ORDER
from reconciler.core.pins import KEY_DIGITS, MARK_DIGITS, image_marks
from reconciler.core.properties import Access, row_of

OWNER_TAG = "aci-reconcile-owner"
STATE_TAG = "aci-reconcile-state"
CREATED_TAG = "aci-reconcile-created"
OUR_TAGS = (OWNER_TAG, STATE_TAG)

STATE_VERSION = "1"
STATE_LIMIT = 255  # ARM allows 256 characters a tag value (F.3)

# Digits of URL-safe base64, six bits each.
_ADDRESS_DIGITS = 14
_HASH_DIGITS = 16
_SECRET_DIGITS = 7  # 42 bits: more than the 40 that make a guess by chance hopeless
_KEY_ID_DIGITS = 5
_VALUE_DIGITS = 22  # no tag has to hold it
_TAG_DIGITS = 4  # 24 bits: 46 keys fit beside all else
_FIELD_DIGITS = 5
_MOST_FIELDS = 6  # of which each is told apart
_LONGEST_COMMIT = 64  # a SHA-256 in hexadecimal


class Ownership(Enum):
    """Whose a live group is."""

    OURS = "ours"
    NOBODYS = "nobody's"
    COPIED = "a copy of our tags"  # our owner tag with another group's address
    UNREADABLE = "our owner tag without a readable state tag"
    FOREIGN = "somebody else's"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTag:
    """What the state tag remembers. Digests are texts of URL-safe base64.

    `secrets` holds one digest a secret, or a single one for all when `secrets_merged`; likewise
    `tag_keys`. `spec` is the hash of the desired form; another `hash_version` (the normaliser's)
    makes it incomparable. `not_taken` are digests of the fields that Azure did not take in the
    last write, or a single one for all when they are many. `images` tells the first digits of what
    tags of images pointed at when they were written last, by `core.pins.image_mark`.
    """

    address: str
    hash_version: int
    spec: str
    key_id: str = ""
    secrets: frozenset[str] = frozenset()
    secrets_merged: bool = False
    tag_keys: frozenset[str] = frozenset()
    tags_merged: bool = False
    not_taken: frozenset[str] = frozenset()
    images: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""
    protect: bool = False
    is_current: bool = True  # false for another format, of which only the address is understood


@dataclass(frozen=True, slots=True)
class SecretKey:
    """The key secrets are compared with; from `ACI_RECONCILE_SECRET_KEY`, never printed."""

    value: bytes

    def __repr__(self) -> str:
        return "SecretKey(…)"

    @property
    def id(self) -> str:
        """Tells keys apart without telling them."""
        return self._digest("key id", _KEY_ID_DIGITS)

    def digest(self, group: GroupId, secret: Secret) -> str:
        """The keyed digest of one secret; equal values in two places give unequal digests."""
        text = json.dumps(["secret", group.address, secret.name, secret.value])
        return self._digest(text, _SECRET_DIGITS)

    def value_digest(self, group: GroupId, path: Path, value: Json) -> str:
        """The keyed digest of what stands at a canonical path, where a snapshot leaves it out."""
        text = json.dumps(["value", group.address, path, value], sort_keys=True)
        return self._digest(text, _VALUE_DIGITS)

    def _digest(self, text: str, digits: int) -> str:
        found = hmac.new(self.value, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return _base64(found, digits)


def _base64(digest: bytes, digits: int) -> str:
    return urlsafe_b64encode(digest).decode("ascii")[:digits]


def _sha(text: str, digits: int) -> str:
    return _base64(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), digits)


def address_digest(group: GroupId) -> str:
    """The digest that binds our tags to one group."""
    return _sha(group.address, _ADDRESS_DIGITS)


def tag_key_digest(key: str) -> str:
    """The short digest of one tag key; keys compare without case, as ARM does."""
    return _sha(key.lower(), _TAG_DIGITS)


def spec_hash(canonical: JsonObject, tags: Mapping[str, str], ignored: tuple[Path, ...]) -> str:
    """The hash of a canonical form with the tags we manage: no secret in it by construction.

    What the service may choose and what the manifest ignores is left out, so that the live form
    hashes alike as long as nobody moved it.
    """
    managed = {key.lower(): value for key, value in tags.items()}
    text = json.dumps(
        [_hashed(canonical, (), ignored), managed], sort_keys=True, separators=(",", ":")
    )
    return _sha(text, _HASH_DIGITS)


def _hashed(value: Json, path: Path, ignored: tuple[Path, ...]) -> Json:
    if not isinstance(value, dict):
        return value
    kept: JsonObject = {}
    for name, item in value.items():
        at = (*path, name)
        if at in ignored or _is_assigned(at):
            continue
        found = _order(item, path, ignored) if name == ORDER else _hashed(item, at, ignored)
        # A parent that holds nothing but what is left out says nothing either.
        if found or not (isinstance(item, dict) and item):
            kept[name] = found
    if not kept.get(ORDER, True):
        del kept[ORDER]
    return kept


def _order(names: Json, path: Path, ignored: tuple[Path, ...]) -> Json:
    """The order of a list's elements without the ignored ones; empty where one or none is left."""
    left: list[Json] = [name for name in as_list(names) if (*path, str(name)) not in ignored]
    return left if len(left) > 1 else []


def _is_assigned(path: Path) -> bool:
    row = row_of(path)
    return row is not None and row.access in (Access.ASSIGNED, Access.UNCONFIRMED)


def desired_hash(desired: DesiredGroup) -> str:
    """The hash of what a manifest asks for."""
    return spec_hash(desired.canonical, desired.tags, desired.policy.ignore)


def live_hash(live: LiveGroup, desired: DesiredGroup | None, state: StateTag) -> str:
    """The hash of what is live, comparable with `state.spec`: only tags we set count."""
    names = {key.lower() for key in desired.tags} if desired is not None else set()
    managed = {
        key: value
        for key, value in foreign_tags(live.tags).items()
        if tag_key_digest(key) in state.tag_keys or (state.tags_merged and key.lower() in names)
    }
    return spec_hash(live.canonical, managed, desired.policy.ignore if desired is not None else ())


def tag(tags: Mapping[str, str], name: str) -> str | None:
    """A tag looked up without case."""
    return next((value for key, value in tags.items() if key.lower() == name), None)


def foreign_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags without our two."""
    return {key: value for key, value in tags.items() if key.lower() not in OUR_TAGS}


def state_of(live: LiveGroup) -> StateTag | None:
    """The readable state tag of a live group, None where there is none."""
    text = tag(live.tags, STATE_TAG)
    return None if text is None else parse_state(text)


def ownership_of(live: LiveGroup, owner: str) -> Ownership:
    """Whose `live` is. A tag copied from another group gives no ownership; owners compare whole."""
    named = tag(live.tags, OWNER_TAG)
    if named is None:
        return Ownership.NOBODYS
    if named != owner:
        return Ownership.FOREIGN
    state = state_of(live)
    if state is None:
        return Ownership.UNREADABLE
    return Ownership.OURS if state.address == address_digest(live.id) else Ownership.COPIED


def _own_state(live: LiveGroup, owner: str) -> StateTag | None:
    """The state tag as long as it speaks of this group: a copied one tells nothing of its tags."""
    return state_of(live) if ownership_of(live, owner) is Ownership.OURS else None


def parse_state(text: str) -> StateTag | None:
    """The state tag in `text`, None where it is not one of ours.

    The first two fields keep their meaning for ever; of a newer version only they are read.
    """
    version, _, rest = text.partition(";")
    address, *fields = rest.split(";")
    if not re.fullmatch("[0-9]+", version) or len(address) != _ADDRESS_DIGITS:
        return None
    named = {field[:1]: field[1:] for field in fields} if version == STATE_VERSION else {}
    hash_version, _, spec = named.get("n", "").partition(":")
    key_id, _, digests = named.get("s", "").partition(":")
    if len(key_id) != _KEY_ID_DIGITS:
        key_id, digests = "", ""  # not of our making: nothing is known of the secrets
    keys = named.get("t", "")
    lost = _chunks(named.get("x", ""), _FIELD_DIGITS)
    return StateTag(
        address=address,
        hash_version=int(hash_version) if re.fullmatch("[0-9]{1,6}", hash_version) else 0,
        spec=spec,
        key_id=key_id,
        secrets=_chunks(digests.lstrip("="), _SECRET_DIGITS),
        secrets_merged=digests.startswith("="),
        tag_keys=_chunks(keys.lstrip("="), _TAG_DIGITS),
        tags_merged=keys.startswith("="),
        not_taken=lost if len(lost) <= _MOST_FIELDS else frozenset(),
        images={
            one[:KEY_DIGITS]: one[KEY_DIGITS:]
            for one in _chunks(named.get("i", ""), KEY_DIGITS + MARK_DIGITS)
        },
        commit=named.get("c", ""),
        protect="p" in named,
        is_current=version == STATE_VERSION,
    )


def _chunks(text: str, size: int) -> frozenset[str]:
    return frozenset(text[start : start + size] for start in range(0, len(text), size))


def format_state(state: StateTag) -> str:
    """The state tag as text of at most `STATE_LIMIT` characters.

    Where it does not fit, the images are forgotten first, then the secrets are merged into one
    digest, then the tag keys.
    """
    text = _formatted(state, merge_secrets=False, merge_tags=False)
    if len(text) <= STATE_LIMIT:
        return text
    state = replace(state, images={})
    for merge_secrets, merge_tags in ((False, False), (True, False), (True, True)):
        text = _formatted(state, merge_secrets=merge_secrets, merge_tags=merge_tags)
        if len(text) <= STATE_LIMIT:
            return text
    raise AssertionError("the fixed fields fit by construction")


def _formatted(state: StateTag, *, merge_secrets: bool, merge_tags: bool) -> str:
    secrets = _joined(state.secrets, is_merged=state.secrets_merged)
    keys = _joined(state.tag_keys, is_merged=state.tags_merged)
    if merge_secrets and state.secrets and not state.secrets_merged:
        secrets = "=" + merged(state.secrets)
    if merge_tags and state.tag_keys and not state.tags_merged:
        keys = "=" + merged_tag_keys(state.tag_keys)
    fields = [STATE_VERSION, state.address, f"n{state.hash_version}:{state.spec}"]
    fields += [f"s{state.key_id}:{secrets}"] if state.key_id else []
    fields += [f"t{keys}"] if keys else []
    fields += [f"x{_joined(state.not_taken, is_merged=False)}"] if state.not_taken else []
    images = "".join(key + digits for key, digits in sorted(state.images.items()))
    fields += [f"i{images}"] if images else []
    fields += [f"c{state.commit[:_LONGEST_COMMIT]}"] if state.commit else []
    fields += ["p"] if state.protect else []
    return ";".join(fields)


def merged(digests: Iterable[str]) -> str:
    """One digest for all secrets of a group."""
    return _sha(",".join(sorted(digests)), _SECRET_DIGITS)


def merged_tag_keys(digests: Iterable[str]) -> str:
    """One digest for the keys of all managed tags."""
    return _sha(",".join(sorted(digests)), _TAG_DIGITS)


def fields_digests(fields: Iterable[tuple[Path, Json, Json]]) -> frozenset[str]:
    """What the tag remembers of fields that Azure did not take: where, what is there, what is due.

    Never of secrets, whose values no unkeyed hash may cover.
    """
    texts = sorted(json.dumps(field, sort_keys=True) for field in fields)
    if len(texts) > _MOST_FIELDS:
        return frozenset({_sha("\n".join(texts), _FIELD_DIGITS)})
    return frozenset(_sha(text, _FIELD_DIGITS) for text in texts)


def _joined(digests: frozenset[str], *, is_merged: bool) -> str:
    return ("=" if is_merged else "") + "".join(sorted(digests))


def state_after_write(desired: DesiredGroup, *, key: SecretKey | None, commit: str) -> StateTag:
    """What to remember once `desired` has been written whole, secrets included."""
    known = [secret for secret in desired.secrets if secret.value is not None]
    return StateTag(
        address=address_digest(desired.id),
        hash_version=NORMALISER_VERSION,
        spec=desired_hash(desired),
        key_id=key.id if key else "",
        secrets=frozenset(key.digest(desired.id, secret) for secret in known)
        if key
        else frozenset(),
        tag_keys=frozenset(tag_key_digest(name) for name in desired.tags),
        images=image_marks(desired),
        commit=commit,
        protect=desired.policy.protect,
    )


def state_after_tags(
    desired: DesiredGroup, before: StateTag | None, *, commit: str, trusted: SecretKey | None = None
) -> StateTag:
    """What to remember once only tags were written: the secrets' digests stay as they were.

    With the key `trusted`, the secrets are taken for what Azure holds, on a person's word.
    """
    after = replace(state_after_write(desired, key=trusted, commit=commit), images={})
    if before is None or before.address != after.address:
        return after  # nothing is known of secrets that somebody else, or nobody, wrote
    remembered = after if trusted is not None else before
    return StateTag(
        address=after.address,
        hash_version=after.hash_version,
        spec=after.spec,
        key_id=remembered.key_id,
        secrets=remembered.secrets,
        secrets_merged=remembered.secrets_merged,
        tag_keys=after.tag_keys,
        not_taken=before.not_taken,
        images=before.images,
        commit=after.commit,
        protect=after.protect,
    )


def left_over(
    live: Iterable[str], desired: Iterable[str], state: StateTag | None
) -> frozenset[str]:
    """The live tag keys, in lower case, that we set once and that the manifest no longer has.

    Where one digest stands for all keys, only a single one that left can be told.
    """
    if state is None:
        return frozenset()
    wanted = {key.lower() for key in desired}
    others = {key.lower() for key in live} - wanted
    if not state.tags_merged:
        return frozenset(key for key in others if tag_key_digest(key) in state.tag_keys)
    kept = {tag_key_digest(key) for key in wanted}
    return frozenset(
        key for key in others if merged_tag_keys({*kept, tag_key_digest(key)}) in state.tag_keys
    )


def written_tags(
    desired: DesiredGroup, live: LiveGroup | None, *, owner: str, state: StateTag
) -> dict[str, str]:
    """Every tag to send: others' kept, ours set, and what we set once and no longer want gone."""
    before = _own_state(live, owner) if live is not None else None
    kept = foreign_tags(live.tags) if live is not None else {}
    dropped = {key.lower() for key in desired.tags} | left_over(kept, desired.tags, before)
    kept = {key: value for key, value in kept.items() if key.lower() not in dropped}
    return {**kept, **desired.tags, OWNER_TAG: owner, STATE_TAG: format_state(state)}
