"""The main job from end to end, each command echoed as a user would type it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from reconciler.cli.connection import EMULATOR_SUBSCRIPTION
from reconciler.errors import ExitCode, LocalStateUnusable

_CHANGED = "mcr.microsoft.com/azuredocs/aci-helloworld:hotfix"


def demo() -> ExitCode:
    """Run every step in a temporary folder; stops at the first unexpected exit code."""
    sample = _sample()
    with tempfile.TemporaryDirectory(prefix="aci-reconcile-demo-") as folder:
        work = Path(folder)
        shutil.copytree(sample, work / "manifests")
        code = _steps(work)
    _say("\nThat was the whole job. Nothing outside a temporary folder was touched.")
    return code


def _steps(work: Path) -> ExitCode:
    run = _Shell(work)
    run("the manifests are right", "validate manifests")
    run("nothing exists yet", "plan manifests --emulator")
    run("make it so", "apply manifests --emulator --yes")
    run("Azure equals git", "plan manifests --emulator --detailed-exitcode")
    _change_behind_our_back(work)
    run("somebody changed Azure", "drift manifests --emulator", expected=ExitCode.CHANGES)
    run("back to what git says", "apply manifests --emulator --yes")
    _remove_a_manifest(work)
    run("reported, not deleted", "plan manifests --emulator")
    run("deleted when asked to", "apply manifests --emulator --prune --yes")
    run("how it all stands", "status manifests --emulator")
    run("what the task printed", "logs word-count --manifests manifests --emulator")
    return ExitCode.DONE


class _Shell:
    """Runs our own command line as processes of their own, in one folder."""

    def __init__(self, work: Path) -> None:
        self._work = work
        # The sample takes one secret from the environment, as a pipeline would hand it over.
        self._environ = {"DEMO_PASSWORD": "only-for-the-demo", **os.environ}

    def __call__(self, why: str, command: str, *, expected: ExitCode = ExitCode.DONE) -> None:
        _say(f"\n# {why}\n$ aci-reconcile {command}")
        done = _reconcile(shlex.split(command), self._work, self._environ)
        if done != expected:
            raise LocalStateUnusable(f"the demo expected exit code {expected:d}, got {done}")
        if done:
            _say(f"(exit code {done})")


def _reconcile(arguments: Sequence[str], work: Path, environ: dict[str, str]) -> int:
    command = [sys.executable, "-m", "reconciler", *arguments]
    return subprocess.run(command, cwd=work, env=environ, check=False).returncode


def _change_behind_our_back(work: Path) -> None:
    from reconciler.cli.local import emulator

    _say("\n# meanwhile, somebody edits the group 'web' in the portal")
    with emulator(work / ".aci-reconcile" / "emulator.db") as url:
        path = f"/subscriptions/{EMULATOR_SUBSCRIPTION}/resourceGroups/rg-demo/providers/"
        path += "Microsoft.ContainerInstance/containerGroups/web?api-version=2023-05-01"
        group = _http("GET", url + path, None)
        properties = group["properties"]
        assert isinstance(properties, dict)
        properties["containers"][0]["properties"]["image"] = _CHANGED
        _http("PUT", url + path, group)
        while _state(_http("GET", url + path, None)) != "Succeeded":
            time.sleep(0.2)
    _say(f"  web: image is now {_CHANGED}")


def _state(group: dict[str, object]) -> object:
    properties = group["properties"]
    return properties.get("provisioningState") if isinstance(properties, dict) else None


def _http(method: str, url: str, body: dict[str, object] | None) -> dict[str, object]:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310  # our own loopback URL
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # our own loopback URL
        found: dict[str, object] = json.load(answer)
        return found


def _remove_a_manifest(work: Path) -> None:
    _say("\n# a manifest leaves the repository\n$ git rm manifests/app-and-sidecar.yaml")
    (work / "manifests" / "app-and-sidecar.yaml").unlink()


def _sample() -> Path:
    """The sample repository: in a checkout beside the package, in a wheel inside it."""
    package = Path(__file__).resolve().parent.parent
    for found in (package / "_sample", package.parent / "manifests"):
        if (found / "aci-reconcile.yaml").is_file():
            return found
    raise LocalStateUnusable("the sample repository is missing", hint="install aci-reconcile again")


def _say(text: str) -> None:
    print(text, flush=True)
