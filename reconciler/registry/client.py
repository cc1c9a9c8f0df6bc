"""What a tag points at, asked by the OCI distribution API; implements `core.images.Registries`.

Source: OCI distribution specification 1.1 (manifests, digests, errors); the token protocol of the
distribution project, which every public registry speaks.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from reconciler.core.cloud import Clock
from reconciler.core.images import ImageReference, Login, is_digest
from reconciler.core.jsonval import Json, as_list, as_object, as_text, dig
from reconciler.errors import RegistryError
from reconciler.registry.addresses import base_url, may_follow, origin_of
from reconciler.registry.challenge import Challenge, challenges_in
from reconciler.registry.transport import Answer, Transport, basic

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    *_INDEXES,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT = ", ".join(_MANIFESTS)
_NO_HEAD = (400, 405, 501)  # registries that know GET alone
_CODE = re.compile("[A-Z][A-Z0-9_]{1,60}")
_TOKEN = re.compile("[!-~]{1,65536}")


class _NotLetIn(RegistryError):
    """These credentials, or none, are not enough; others may be."""


class OciRegistries:
    """Asks registries over HTTP from any number of threads."""

    def __init__(self, clock: Clock, *, connections: int) -> None:
        self._transport = Transport(clock, connections=connections)
        # What let us in before, by registry, repository and login.
        self._granted: dict[tuple[str, str, Login | None], str] = {}

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def digest(self, image: ImageReference, logins: Sequence[Login]) -> str:
        """The digest that the tag points at now. HEAD: registries count only GET as a pull.

        Raises:
            RegistryError: it cannot be had; the text names the image.
        """
        answer = self._asked("HEAD", image, image.target, logins)
        told = answer.headers.get("Docker-Content-Digest", "")
        if answer.status == 200 and is_digest(told):
            return told
        return self._read(image, image.target, logins)[0]

    def members(
        self, image: ImageReference, digest: str, logins: Sequence[Login]
    ) -> frozenset[str]:
        """The digests of the manifests that an index holds, empty for what is no index.

        Raises:
            RegistryError: it cannot be had; the text names the image.
        """
        _, manifest = self._read(image, digest, logins)
        if as_text(dig(manifest, "mediaType")) not in ("", *_INDEXES):
            return frozenset()
        found = (as_text(dig(one, "digest")) for one in as_list(dig(manifest, "manifests")))
        return frozenset(filter(is_digest, found))

    def _read(
        self, image: ImageReference, target: str, logins: Sequence[Login]
    ) -> tuple[str, Json]:
        """A manifest with the digest of its bytes, which is that of the header if there is one."""
        answer = self._asked("GET", image, target, logins)
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        told = answer.headers.get("Docker-Content-Digest", "")
        claimed = target if is_digest(target) else told
        if claimed.startswith("sha256:") and claimed != digest:
            raise RegistryError(f"{image}: the manifest has digest {digest}, not {claimed}")
        try:
            manifest: Json = json.loads(answer.body)
        except ValueError as exc:
            says = f"{image}: expected a manifest, got something that is no JSON"
            raise RegistryError(says) from exc
        if not isinstance(manifest, dict):
            raise RegistryError(f"{image}: expected a manifest, got no JSON object")
        return digest, manifest

    def _asked(
        self, method: str, image: ImageReference, target: str, logins: Sequence[Login]
    ) -> Answer:
        """An answer of 200, or to HEAD one that asks for GET."""
        refusal: RegistryError | None = None
        for login in logins or (None,):
            try:
                answer = self._let_in(method, image, target, login)
                return _checked(answer, image, method, login)
            except _NotLetIn as exc:
                refusal = exc
            except RegistryError as exc:
                if exc.says.startswith(f"{image}: "):
                    raise
                raise RegistryError(f"{image}: {exc.says}", hint=exc.hint) from exc
        assert refusal is not None
        raise refusal

    def _let_in(
        self, method: str, image: ImageReference, target: str, login: Login | None
    ) -> Answer:
        """The answer once the registry's challenge was met, or the 401 that it was not."""
        url = f"{base_url(image.host)}/v2/{image.repository}/manifests/{target}"
        key = (image.host, image.repository, login)
        answer = self._transport.send(
            method, url, accept=_ACCEPT, authorization=self._granted.get(key, "")
        )
        # A host that we were sent on to may ask for what is not meant for it.
        if answer.status != 401 or origin_of(answer.url) != origin_of(url):
            return answer
        header = answer.headers.get("WWW-Authenticate", "")
        authorization = self._authorization(challenges_in(header), image, url, login)
        if not authorization:
            return answer
        answer = self._transport.send(method, url, accept=_ACCEPT, authorization=authorization)
        if answer.status != 401:
            self._granted[key] = authorization
        return answer

    def _authorization(
        self, challenges: Sequence[Challenge], image: ImageReference, url: str, login: Login | None
    ) -> str:
        """What to show the registry, empty where there is nothing it would take."""
        for challenge in challenges:
            if challenge.scheme == "bearer" and "realm" in challenge.parameters:
                return f"Bearer {self._token(challenge, image, url, login)}"
        if login is not None and any(one.scheme == "basic" for one in challenges):
            return basic(login)
        return ""

    def _token(
        self, challenge: Challenge, image: ImageReference, url: str, login: Login | None
    ) -> str:
        """A token from the realm, which is asked over https or where the registry itself is."""
        realm = challenge.parameters["realm"]
        if not may_follow(url, realm) or not origin_of(realm):
            raise RegistryError(
                f"{image}: the registry names a realm for tokens that is not https:"
                " no credential is sent there"
            )
        answer = self._transport.send(
            "GET",
            _with_query(realm, challenge, image),
            accept="application/json",
            authorization=basic(login) if login is not None else "",
        )
        if answer.status in (401, 403):
            raise _not_let_in(image, answer, login)
        if answer.status != 200:
            raise RegistryError(
                f"{image}: {origin_of(answer.url)} gives no token (HTTP {answer.status})"
            )
        return _token_in(answer, image)


def _with_query(realm: str, challenge: Challenge, image: ImageReference) -> str:
    parts = urlsplit(realm)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if service := challenge.parameters.get("service"):
        query.append(("service", service))
    scope = challenge.parameters.get("scope") or f"repository:{image.repository}:pull"
    query.append(("scope", scope))
    return urlunsplit(parts._replace(query=urlencode(query), fragment=""))


def _token_in(answer: Answer, image: ImageReference) -> str:
    try:
        found = as_object(json.loads(answer.body))
    except ValueError:
        found = {}
    token = as_text(found.get("token")) or as_text(found.get("access_token"))
    if not _TOKEN.fullmatch(token):
        raise RegistryError(f"{image}: {origin_of(answer.url)} gives no token that can be used")
    return token


def _checked(answer: Answer, image: ImageReference, method: str, login: Login | None) -> Answer:
    """The answer when it can be used.

    Raises:
        RegistryError: it cannot; the error says what to do.
    """
    status = answer.status
    if status == 200 or (method == "HEAD" and status in _NO_HEAD):
        return answer
    if status in (401, 403):
        raise _not_let_in(image, answer, login)
    if status == 404:
        code = _code_in(answer)
        raise RegistryError(
            f"{image}: the registry has no such image ({code or 'HTTP 404'})",
            hint="check its name and tag",
        )
    raise RegistryError(f"{image}: the registry answered HTTP {status}{_told(answer)}")


def _not_let_in(image: ImageReference, answer: Answer, login: Login | None) -> _NotLetIn:
    told = f"HTTP {answer.status}{_told(answer)}"
    if login is None:
        return _NotLetIn(
            f"{image}: the registry lets nobody read it without credentials ({told})",
            hint=f"give those of '{image.registry}' in imageRegistryCredentials,"
            " or check the name of the image",
        )
    if answer.status == 401:
        return _NotLetIn(
            f"{image}: the registry does not take the credentials of '{image.registry}' ({told})",
            hint="check username and password in imageRegistryCredentials",
        )
    return _NotLetIn(
        f"{image}: these credentials may not read it ({told})",
        hint="give them the right to pull",
    )


def _told(answer: Answer) -> str:
    code = _code_in(answer)
    return f" {code}" if code else ""


def _code_in(answer: Answer) -> str:
    """The registry's own word for an error; its sentences are not repeated, they may quote us."""
    try:
        errors = as_list(dig(json.loads(answer.body), "errors"))
    except ValueError:
        return ""
    code = as_text(dig(errors[0], "code")) if errors else ""
    return code if _CODE.fullmatch(code) else ""
