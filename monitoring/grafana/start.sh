#!/bin/sh
# Start Grafana (`start.sh COMMAND…`), unless its password is the default one and other machines have
# access to the port.
set -eu

case ${BIND_ADDRESS:-} in
  127.* | localhost | ::1 | '[::1]') GF_SECURITY_ADMIN_PASSWORD=${GF_SECURITY_ADMIN_PASSWORD:-admin123} ;;
  *)
    case ${GF_SECURITY_ADMIN_PASSWORD:-} in
      '' | admin | admin123)
        echo "Grafana is not started: BIND_ADDRESS=${BIND_ADDRESS:-} opens it to other machines;" \
          "set GRAFANA_PASSWORD in .env, or in the Secret mlops of a cluster, to a password of your own," \
          "not admin or admin123." >&2
        exit 1
        ;;
    esac
    ;;
esac
export GF_SECURITY_ADMIN_PASSWORD

# Grafana reads the password only when it creates its database: an earlier one would stay in use.
if [ -f "${GF_PATHS_DATA:-/var/lib/grafana}/grafana.db" ]; then
  printf '%s\n' "$GF_SECURITY_ADMIN_PASSWORD" |
    grafana cli --homepath "${GF_PATHS_HOME:-/usr/share/grafana}" \
      admin reset-admin-password --password-from-stdin
fi
exec "$@"
