#!/usr/bin/env bash
# Install packages of Debian or Ubuntu that some tests need.
#   install_packages.sh NAME...
set -euo pipefail
as_root=(env DEBIAN_FRONTEND=noninteractive)
if [ "$(id -u)" != 0 ]; then
  as_root=(sudo "${as_root[@]}")
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
