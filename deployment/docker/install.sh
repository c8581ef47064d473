#!/bin/sh
# In a build stage: install the packages of a lock file into a folder, each checked against its hash.
#   install.sh LOCK FOLDER
set -eu
python -m pip install --quiet --no-cache-dir --no-compile --root-user-action ignore \
  --require-hashes --no-deps --only-binary :all: --target "$2" --requirement "$1"
rm -rf "${2:?}/bin"
# Remove the packages' own tests, a tenth of all files. NumPy itself imports some of its tests.
find "$2" -name numpy -prune -o -type d -name tests -prune -exec rm -r {} +
