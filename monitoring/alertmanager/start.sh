#!/bin/sh
# Start Alertmanager (`start.sh COMMAND…`) with the API's key in a file of its own: its configuration
# takes a secret from a file alone, and one in the configuration would be shown on its pages.
set -eu

(umask 077 && printf '%s' "${API_ADMIN_KEY:-}" >/tmp/api-admin-key)
unset API_ADMIN_KEY
exec "$@"
