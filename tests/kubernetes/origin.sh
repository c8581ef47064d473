#!/bin/sh
# A bare repository that anybody can reach by Git's own protocol, and the holder of a key by SSH. The keys are
# made here: /srv/client is the private one of the client, /srv/known_hosts what it knows of the server.
set -eu
cd /srv
git init --quiet --bare -b main origin.git
for name in host client; do
  ssh-keygen -q -t ed25519 -N "" -f "$name"
done
printf 'restrict %s' "$(cat client.pub)" >authorized
printf '%s %s\n' "$SERVER_NAME" "$(cut -d ' ' -f 1,2 host.pub)" >known_hosts
/usr/sbin/sshd -e -h /srv/host -o AuthorizedKeysFile=/srv/authorized -o StrictModes=no -o UsePAM=no \
  -o PasswordAuthentication=no
exec git daemon --reuseaddr --export-all --enable=receive-pack --base-path=/srv /srv
