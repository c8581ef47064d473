#!/bin/sh
# Start Alertmanager (`start.sh COMMAND…`) with the API's key in a file: a secret in the configuration
# itself would be shown on Alertmanager's pages.
set -eu

(umask 077 && printf '%s' "${API_ADMIN_KEY:-}" >/tmp/api-admin-key)
unset API_ADMIN_KEY
exec "$@"
