#!/bin/sh
# Keep a checkout of the repository in a folder, for the pods that read the history or the models in it.
#   checkout.sh release FOLDER          once: the commit that this image was built from; if none is known, the branch
#   checkout.sh branch FOLDER           once: the tip of the branch
#   checkout.sh follow FOLDER SECONDS   the tip of the branch, again after so many seconds, until it is stopped
# REPOSITORY_URL and REPOSITORY_BRANCH name the source, and REPOSITORY_TOKEN, if it is set, is the password.
# DEPLOY_KEY, if it is set, is the folder of the Secret with a deploy key, which GIT_SSH_COMMAND uses.
# A repository that cannot be reached leaves the checkout as it is.
set -eu
mode=$1
folder=$2
: "${REPOSITORY_URL:?is not set: name the repository in your overlay, see docs/kubernetes.md}"
: "${REPOSITORY_BRANCH:?is not set: name the branch in your overlay, see docs/kubernetes.md}"
tip=refs/remotes/origin/$REPOSITORY_BRANCH

export GIT_TERMINAL_PROMPT=0 # fail instead of waiting for somebody to type a password
if [ -n "${REPOSITORY_TOKEN:-}" ]; then
  # Git asks this helper, so that the token is in no file and in no list of processes.
  # shellcheck disable=SC2016
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=credential.helper GIT_CONFIG_VALUE_0='!answer() {
    [ "$1" != get ] || printf "username=x-access-token\npassword=%s\n" "$REPOSITORY_TOKEN"
  }; answer'
fi

if [ -n "${DEPLOY_KEY:-}" ]; then
  for key in ssh-privatekey known_hosts; do
    if [ ! -s "$DEPLOY_KEY/$key" ]; then
      echo "checkout.sh: the Secret deploy-key is missing, or has no key $key: create it as docs/kubernetes.md shows." >&2
      exit 1
    fi
  done
fi

# Safe to repeat, whatever an interrupted call has left behind.
prepare() {
  git -c init.defaultBranch="$REPOSITORY_BRANCH" init --quiet "$folder"
  git -C "$folder" symbolic-ref HEAD "refs/heads/$REPOSITORY_BRANCH"
  git -C "$folder" config remote.origin.url "$REPOSITORY_URL"
  git -C "$folder" config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
}

fetch() {
  git -C "$folder" fetch --quiet origin "+refs/heads/$REPOSITORY_BRANCH:$tip"
}

check_out() {
  rm -f "$folder/.git/index.lock" # of a process that was killed
  git -C "$folder" reset --quiet --hard "$1"
  echo "checked out $(git -C "$folder" log -1 --format='%h %s')"
}

check_out_release() {
  revision=${MLOPS_REVISION:-$tip} # the image names its commit in this variable
  if ! git -C "$folder" cat-file -e "$revision^{commit}" 2>/dev/null; then
    echo "checkout.sh: the branch $REPOSITORY_BRANCH does not contain the commit $revision, which this image was built from: push it, or use an image of that branch." >&2
    exit 1
  fi
  check_out "$revision"
}

follow() {
  while :; do
    sleep "$1" &
    wait $! # unlike `sleep` itself, it ends at a signal
    if fetch; then
      [ "$(git -C "$folder" rev-parse HEAD)" = "$(git -C "$folder" rev-parse "$tip")" ] || check_out "$tip"
    else
      echo "checkout.sh: the repository cannot be fetched; trying again in $1 seconds." >&2
    fi
  done
}

trap 'exit 0' TERM INT
prepare
case $mode in
  release) fetch && check_out_release ;;
  branch) fetch && check_out "$tip" ;;
  follow) follow "$3" ;;
  *)
    echo "checkout.sh: the first argument is release, branch or follow, not $mode." >&2
    exit 2
    ;;
esac
