#!/usr/bin/env bash
# What the action runs. Everything comes in variables (see action.yml); nothing is evaluated.
set -euo pipefail

fail() {
  echo "::error title=aci-reconcile::$1" >&2
  exit 64
}

case "${MODE:-}" in
  plan | apply | drift) ;;
  *) fail "mode: expected plan, apply or drift" ;;
esac

if ! command -v aci-reconcile >/dev/null; then
  # What runs is what the workflow pins by the action's version.
  python3 -m pip install --quiet --disable-pip-version-check \
    "${REQUIREMENT:-${GITHUB_ACTION_PATH:-aci-reconcile}}"
fi

lines() { # each line of $1 that says something, into the array named $2
  local -n into="$2"
  local line
  while IFS= read -r line; do
    [[ -n "${line//[[:space:]]/}" ]] && into+=("$line")
  done <<<"$1"
  return 0
}

environments=() more=()
lines "${ENVIRONMENTS:-}" environments
lines "${ARGUMENTS:-}" more

# Paths are as the workflow sees them, wherever the project is.
here="$PWD"
whole() { case "$1" in "" | /*) printf '%s' "$1" ;; *) printf '%s' "$here/$1" ;; esac; }
plan="$(whole "${PLAN:-}")" comment="$(whole "${COMMENT:-}")"

arguments=("$MODE")
cd "${FOLDER:-.}"
case "$MODE" in
  plan) [[ -n "$plan" ]] && arguments+=(-o "json=$plan") ;;
  apply)
    [[ -n "$plan" ]] && arguments+=("$plan")
    arguments+=(--yes)
    ;;
esac
[[ -n "$comment" ]] && arguments+=(-o "markdown=$comment")
arguments+=(-o text)
for environment in "${environments[@]}"; do
  arguments+=(-e "$environment")
done

exec aci-reconcile "${arguments[@]}" "${more[@]}"
