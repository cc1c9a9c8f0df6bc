"""The commands and their options, with a help that teaches."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from reconciler import __version__
from reconciler.cli import estates, living, signatures
from reconciler.errors import ExitCode

_ABOUT = """\
Make Azure Container Instances equal to the YAML manifests in git.

  aci-reconcile validate manifests            are the manifests right?
  aci-reconcile plan manifests                what would change, and what does it cost?
  aci-reconcile apply manifests               do it, and wait until the containers are healthy
  aci-reconcile drift manifests               did somebody change Azure? (for cron; exit 2)

No Azure account at hand? Add --emulator to any of them, or run 'aci-reconcile demo'.
"""

_EXIT_CODES = """\
exit codes:
  0 done, or nothing to do       1 failed (Azure, network)      2 changes pending
  3 manifests invalid            4 blocked, nothing touched     5 stale: plan again
  6 partial: some actions failed 7 applied, but not healthy    64 usage   130 interrupted
"""


class _Parser(argparse.ArgumentParser):
    """argparse leaves with 2, which here means 'changes pending'."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: error: {message}; see '{self.prog} --help'\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = _Parser(
        prog="aci-reconcile",
        description=_ABOUT,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"aci-reconcile {__version__}")
    commands = top.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands"
    )
    for name, (summary, more, fill) in _COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.\n\n{more}".rstrip(),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        fill(command)
        command.add_argument(
            "--debug", action="store_true", help="log every request; show tracebacks"
        )
    return top


_COMMANDS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "init": (
        "write a project file, a first manifest and the files of your CI",
        (
            "Writes over nothing: where one of the files exists already, none is written.\n\n"
            "  aci-reconcile init                the current folder; CI as the repository tells\n"
            "  aci-reconcile init infra --ci gitlab"
        ),
        signatures.init,
    ),
    "validate": (
        "check the manifests, offline",
        (
            "Every finding of every file, as file:line:col: ID path: expected …, got …; try …\n"
            "Where environments exist and none is named, each of them is checked.\n\n"
            "  aci-reconcile validate -E M801      a finding of rule M801 is an error\n"
            "  aci-reconcile explain M801          what the rule asks for, and why\n\n"
            "'# aci-reconcile: ignore[M801] reason' in a manifest silences a rule on its line, or\n"
            "alone on a line, on the next one."
        ),
        signatures.validate,
    ),
    "fmt": (
        "write manifests, patches and project files in one style, offline",
        (
            "Keys in order, two blanks a level, no needless quotes; comments, anchors and block\n"
            "texts stay. What a file says never changes: that is checked before it is written.\n\n"
            "  aci-reconcile fmt                 the project around the current folder\n"
            "  aci-reconcile fmt --check         for CI: exit 2 and the files that would change\n"
            "  aci-reconcile fmt - < web.yaml    from stdin to stdout, for editors"
        ),
        signatures.fmt,
    ),
    "plan": (
        "show what apply would do, and what it costs",
        (
            "Reads Azure and writes nothing.\n\n"
            "  aci-reconcile plan manifests --detailed-exitcode   exit 2 when changes are pending\n"
            "  aci-reconcile plan -e prod -o text -o json=plan.json"
        ),
        signatures.plan,
    ),
    "apply": (
        "make Azure equal to the manifests",
        (
            "Shows the plan, asks, and carries it out; waits until the containers are healthy.\n\n"
            "  aci-reconcile apply manifests\n"
            "  aci-reconcile apply manifests --prune --yes\n"
            "  aci-reconcile apply manifests --replace web --allow delete=2\n"
            "  aci-reconcile apply plan.json        just what was reviewed, or nothing (exit 5)"
        ),
        signatures.apply,
    ),
    "show": (
        "show a plan that was written down, in any format",
        (
            "Offline: the document tells all.\n\n"
            "  aci-reconcile show plan.json\n"
            "  aci-reconcile show plan.json -o markdown=comment.md"
        ),
        signatures.show,
    ),
    "drift": (
        "tell whether Azure still is as it was last applied (for cron)",
        (
            "Exit 0 when it is, 2 when it is not, 1 when that could not be told. What is merged\n"
            "and not yet applied is pending, and no drift.\n\n"
            "  aci-reconcile drift -e prod --since drift.json -o text -o json=drift.json\n"
            "  aci-reconcile drift -e prod --fail-on missing,changed --webhook https://…"
        ),
        signatures.drift,
    ),
    "report": (
        "gather what many runs wrote with -o json into one comment or issue",
        (
            "Offline. By project and environment, the worst first.\n\n"
            "  aci-reconcile report drift-*.json -o markdown=issue.md\n\n"
            "Exit 1 when one of the files could not be read: it is reported as such."
        ),
        signatures.report,
    ),
    "status": (
        "show how groups stand: against git, and in themselves",
        (
            "One row a group; all of a group that is named: containers and events.\n\n"
            "  aci-reconcile status\n"
            "  aci-reconcile status web\n"
            "  aci-reconcile status --watch\n"
            "  aci-reconcile status web --until healthy --timeout 5m   exit 7 when it is not"
        ),
        living.status,
    ),
    "logs": (
        "print what the containers of a group printed",
        (
            "  aci-reconcile logs web\n"
            "  aci-reconcile logs web sidecar --tail 20 --timestamps\n"
            "  aci-reconcile logs -f web      each line once, until nothing runs any more"
        ),
        living.logs,
    ),
    "events": (
        "show what happened to a group and its containers, the latest last",
        "  aci-reconcile events web\n  aci-reconcile events web sidecar -o json",
        living.events,
    ),
    "doctor": (
        "check that Azure lets a run through, each obstacle with what to do",
        (
            "Credential, subscription, clock, provider, resource groups, permissions, quota and\n"
            "sizes. Changes nothing. Exit 1 when a check fails or could not be made.\n\n"
            "  aci-reconcile doctor\n"
            "  aci-reconcile doctor -e prod --for plan     what an identity needs that only reads"
        ),
        living.doctor,
    ),
    "start": (
        "start groups that were stopped or have ended",
        (
            "Shows what it would do, asks, does it, and waits until the containers are healthy.\n\n"
            "  aci-reconcile start web\n"
            "  aci-reconcile start 'job-*' --yes"
        ),
        living.operating,
    ),
    "stop": (
        "stop groups: nothing runs and nothing is paid until they are started",
        (
            "Shows what it would do, asks, does it, and waits until nothing runs. A protected\n"
            "group is refused, and so is one of others, unless --foreign names it. A stopped\n"
            "group is not started by apply: start it, or apply with --rerun NAME.\n\n"
            "  aci-reconcile stop web db\n"
            "  aci-reconcile stop --select tag:tier=test --yes"
        ),
        living.operating,
    ),
    "restart": (
        "restart groups in place, all of their containers",
        (
            "Shows what it would do, asks, does it, and waits until the containers are healthy.\n"
            "Images are pulled again. Only what runs can be restarted.\n\n"
            "  aci-reconcile restart web"
        ),
        living.operating,
    ),
    "export": (
        "write live groups down as manifests that equal them",
        (
            "One LIST, a file a group, and a project file where there is none. Defaults and what\n"
            "Azure sets are left out; secrets, which Azure never returns, become {unknown: true}\n"
            "and are listed. A file that says something else is never overwritten.\n\n"
            "  aci-reconcile export -g rg-shop -d estate\n"
            "  aci-reconcile export web -d estate --update    bring its manifest to what is live\n"
            "  aci-reconcile plan estate                      nothing but adoptions"
        ),
        estates.export,
    ),
    "adopt": (
        "take over live groups that equal their manifests, by their tags alone",
        (
            "Shows what was compared with what result, asks, and writes two tags: nothing\n"
            "restarts. A group that differs in anything is refused.\n\n"
            "  aci-reconcile adopt\n"
            "  aci-reconcile adopt web rg-shop/db --yes\n"
            "  aci-reconcile adopt web --from-owner old-shop   from another owner, by its name"
        ),
        estates.adopt,
    ),
    "release": (
        "give up a group: it runs on, and is nobody's",
        "Takes our two tags away, nothing else; protection goes with them.",
        signatures.release,
    ),
    "destroy": (
        "delete everything this project owns",
        "Asks for the owner's name. Groups of others are never touched.",
        signatures.destroy,
    ),
    "snapshot": (
        "keep what Azure holds, so that a plan can be made without credentials",
        (
            "One LIST. Environment values, commands and other free text are left out, or replaced\n"
            "by digests under ACI_RECONCILE_SECRET_KEY where there is one.\n\n"
            "  aci-reconcile snapshot live.json -e prod\n"
            "  aci-reconcile plan --live live.json -e prod"
        ),
        signatures.snapshot,
    ),
    "render": (
        "print what the manifests of an environment come to, offline",
        (
            "With defaults, variables and patches put in, as manifests: resource groups first,\n"
            "all by address. Secrets stay references; one written down becomes {unknown: true}.\n\n"
            "  aci-reconcile render -e prod\n"
            "  aci-reconcile render -e prod -o json | jq '.[].name'"
        ),
        signatures.render,
    ),
    "diff": (
        "compare what two environments want, offline",
        (
            "Group by group: those of one manifest are a pair, else those of equal resource group\n"
            "and name, else of equal name. Where they live is no difference. Exit 0 when all are\n"
            "equal, 2 when not.\n\n"
            "  aci-reconcile diff staging prod"
        ),
        signatures.diff,
    ),
    "convert": (
        "turn az YAML, az JSON and ARM templates into manifests, offline",
        (
            "Manifests on stdout, and on stderr a list of what could not be carried. No secret\n"
            "is copied. Exit 0 when all was carried, 2 when something is on the list, 3 when the\n"
            "file is of no known form.\n\n"
            "  az container show -g rg -n web | aci-reconcile convert - > web.yaml\n"
            "  aci-reconcile convert main.json --parameters prod.parameters.json -d manifests"
        ),
        signatures.convert,
    ),
    "schema": (
        "print the JSON Schema of manifests, patches, the project file, or of reports",
        "",
        signatures.schema,
    ),
    "explain": (
        "tell what a property is and what a change of it costs, or what a rule asks for",
        (
            "  aci-reconcile explain 'properties/containers/*/properties/image'\n"
            "  aci-reconcile explain M801\n\n"
            "A source carries its grade: R recorded traffic, S specification, D documentation,\n"
            "I public issue, C source of another client, INF inferred."
        ),
        signatures.explain,
    ),
    "completion": (
        "print the script that completes command lines in a shell",
        (
            "  bash: aci-reconcile completion bash > ~/.local/share/bash-completion/completions/"
            "aci-reconcile\n"
            "  zsh:  aci-reconcile completion zsh > ~/.zfunc/_aci-reconcile   "
            "(a folder in $fpath)\n"
            "  fish: aci-reconcile completion fish > ~/.config/fish/completions/"
            "aci-reconcile.fish"
        ),
        signatures.completion,
    ),
    "emulator": (
        "serve the ARM emulator over HTTP, for any Azure SDK",
        "Plain HTTP, no credentials asked for; Ctrl-C stops it.",
        signatures.emulator,
    ),
    "demo": (
        "the whole job on the embedded emulator, in a temporary folder",
        "validate, plan, apply, drift, prune, status and logs on a sample repository; no Azure.",
        signatures.nothing,
    ),
}
