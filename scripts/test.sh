#!/usr/bin/env bash
# Lint and test everything: nox's default sessions, in private environments.
set -euo pipefail
exec bash "$(dirname "$0")/nox.sh" "$@"
