"""Secrets that are easy to recognise, and every way one may be written down."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from tests.conftest import Repository

Wire = dict[str, Any]

KEY = "0123456789abcdef-of-the-canary"
SOURCES = ("fromEnv", "fromFile", "literal")
LEVELS = ("-v", "--debug")

# What a secret looks like; `@` becomes a number, so that each place has its own.
KINDS: Mapping[str, str] = {
    "short": "~q@",
    "long": "canary-@-" + "Lorem0ipsum1dolor2sit3amet" * 60,
    "lines": "first-canary-@\n  second canary @\r\nthird=canary=@\n",
    "base64": "decoded canary @ at home",  # and encoded
    "unicode": "canarí-@-✓-кот-\N{GRINNING FACE}-ß",
    "special": "canary@\"quo\\te'</s>&%20{}\t$(id)",
}
_SHORTEST = 4


def planted(kind: str, number: int) -> str:
    """The secret of one place."""
    text = KINDS[kind].replace("@", f"{number:02}")
    return base64.b64encode(text.encode()).decode() if kind == "base64" else text


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One secret: where it stands, and its value as a container would see it."""

    place: str
    value: str


def spellings(value: str) -> Iterator[str]:
    """Every text that gives `value` away: itself, its lines, its beginning, in any encoding."""
    texts = [value, value.strip(), *(line.strip() for line in value.splitlines())]
    texts += [value[:16]] if len(value) > 40 else []
    raw = value.encode()
    texts += [raw.hex(), *_in_base64(raw)]
    try:
        texts.append(base64.b64decode(value, validate=True).decode())
    except ValueError:
        pass
    for text in texts:
        for spell in _WAYS.values():
            spelled = spell(text)
            if len(spelled) >= _SHORTEST:
                yield spelled


def _in_base64(raw: bytes) -> list[str]:
    found = [base64.b64encode(raw), base64.urlsafe_b64encode(raw)]
    return [one.decode().rstrip("=") for one in found]


_WAYS: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "json": lambda text: json.dumps(text)[1:-1],
    "json of unicode": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json of json": lambda text: json.dumps(json.dumps(text))[3:-3],
    "url": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "html": html.escape,
    "repr": lambda text: repr(text)[1:-1],
}
# How a service quotes what it was sent.
QUOTES: Mapping[str, Callable[[str], str]] = {
    **_WAYS,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "lines": lambda text: " | ".join(text.splitlines()),
}


def leaks(seen: Mapping[str, str], secrets: Iterable[Planted]) -> list[tuple[str, str, str]]:
    """Which secret shows where: name of the output, place of the secret, what was found."""
    found = []
    for one in secrets:
        texts = set(spellings(one.value))
        for where, text in seen.items():
            hit = next((spelled for spelled in texts if spelled in text), None)
            if hit is not None:
                found.append((where, one.place, hit[:60]))
    return found


def body_of(name: str, node: Callable[[str, str], Any]) -> Wire:
    """A manifest with a secret in every write-only place; `node` says what stands there.

    It is called with the place's name and what it must hold: `text` or `base64`.
    """
    return {
        "name": name,
        "properties": {
            "osType": "Linux",
            "restartPolicy": "Always",
            "containers": [
                {
                    "name": "web",
                    "properties": {
                        "image": "nginx:1.27",
                        "resources": {"requests": {"cpu": 1, "memoryInGB": 1}},
                        "environmentVariables": [
                            {"name": "PLAIN", "value": "seen"},
                            {"name": "HIDDEN", "secureValue": node("variable", "text")},
                        ],
                        "volumeMounts": [
                            {"name": "files", "mountPath": "/files"},
                            {"name": "share", "mountPath": "/share"},
                        ],
                    },
                }
            ],
            "initContainers": [
                {
                    "name": "first",
                    "properties": {
                        "image": "nginx:1.27",
                        "environmentVariables": [
                            {"name": "HIDDEN", "secureValue": node("init variable", "text")}
                        ],
                    },
                }
            ],
            "imageRegistryCredentials": [
                {"server": "a.azurecr.io", "username": "u", "password": node("password", "text")}
            ],
            "volumes": [
                {
                    "name": "share",
                    "azureFile": {
                        "shareName": "s",
                        "storageAccountName": "a",
                        "storageAccountKey": node("account key", "text"),
                    },
                },
                {"name": "files", "secret": {"file.txt": node("file", "base64")}},
            ],
            "diagnostics": {
                "logAnalytics": {"workspaceId": "w", "workspaceKey": node("workspace key", "text")}
            },
            "extensions": [
                {
                    "name": "e",
                    "properties": {
                        "extensionType": "kube-proxy",
                        "version": "1.0",
                        "settings": {"seen": "seen"},
                        "protectedSettings": {"config": node("settings", "text")},
                    },
                }
            ],
        },
    }


class Nest:
    """A repository of groups full of secrets, the secrets, and everything that was seen."""

    def __init__(self, repository: Repository, database: Path) -> None:
        self.repository = repository
        self.database = database
        self.secrets = [Planted(place="the key of the digests", value=KEY)]
        self.seen: dict[str, str] = {}
        self._number = 0
        repository.environ["ACI_RECONCILE_SECRET_KEY"] = KEY

    def hatch(self, name: str, kind: str, source: str) -> None:
        """Write the manifest of one group; what it held before is a secret still."""
        body = body_of(name, lambda p, holds: self._node(name, p, kind, source, holds))
        self.repository.file(f"{name}.yaml", json.dumps(body, ensure_ascii=False, indent=1))

    def _node(self, name: str, place: str, kind: str, source: str, holds: str) -> Any:
        self._number += 1
        value = planted(kind, self._number)
        self.secrets.append(Planted(place=f"{name}: {place} ({source}, {kind})", value=value))
        encode = {"encode": "base64"} if holds == "base64" else {}
        match source:
            case "fromEnv":
                self.repository.environ[f"CANARY_{self._number}"] = value
                return {"fromEnv": f"CANARY_{self._number}", **encode}
            case "fromFile":
                file = self.repository.root / f"secrets/{self._number}"
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(value.encode())
                return {"fromFile": f"secrets/{self._number}", **encode}
            case _:
                return base64.b64encode(value.encode()).decode() if encode else value

    def run(self, *arguments: str, **options: Any) -> int:
        # All groups at once: each takes the emulator its time.
        wide = ("--parallelism", "100") if arguments[0] in ("apply", "destroy") else ()
        done = self.repository.here(*arguments, *wide, **options)
        number = len(self.seen)
        self.seen[f"{number} stdout of {' '.join(arguments)}"] = done.out
        self.seen[f"{number} stderr of {' '.join(arguments)}"] = done.err
        return done.code

    def leaks(self) -> list[tuple[str, str, str]]:
        """What has been given away so far: outputs, files written, live groups, the database."""
        groups = self.repository.emulator.groups(self.repository.subscription)
        self.seen["live groups"] = json.dumps(groups, ensure_ascii=False)
        for file in self.repository.root.glob("*.out"):
            self.seen[file.name] = file.read_text("utf-8")
        for file in self.database.parent.glob(f"{self.database.name}*"):
            self.seen[file.name] = file.read_bytes().decode("utf-8", "replace")
        return leaks(self.seen, self.secrets)
