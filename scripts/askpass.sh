#!/bin/sh
# Prints the name and the password that Git needs (GIT_ASKPASS): the token of the workflow, never on disk.
case "$1" in
  Username*) echo x-access-token ;;
  *) printf '%s\n' "$GITHUB_TOKEN" ;;
esac
