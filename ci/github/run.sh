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
  python3 -m pip install --quiet --disable-pip-version-check "${REQUIREMENT:-aci-reconcile}"
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

arguments=("$MODE")
cd "${FOLDER:-.}"
case "$MODE" in
  plan) [[ -n "${PLAN:-}" ]] && arguments+=(-o "json=$PLAN") ;;
  apply)
    [[ -n "${PLAN:-}" ]] && arguments+=("$PLAN")
    arguments+=(--yes)
    ;;
esac
[[ -n "${COMMENT:-}" ]] && arguments+=(-o "markdown=$COMMENT")
arguments+=(-o text)
for environment in "${environments[@]}"; do
  arguments+=(-e "$environment")
done

exec aci-reconcile "${arguments[@]}" "${more[@]}"
