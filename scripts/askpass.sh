#!/bin/sh
# What Git asks for a name and a password (GIT_ASKPASS): the workflow's token, never on the disk.
case "$1" in
  Username*) echo x-access-token ;;
  *) printf '%s\n' "$GITHUB_TOKEN" ;;
esac
