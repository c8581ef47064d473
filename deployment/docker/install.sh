#!/bin/sh
# In a build stage: install a lock file into a folder, every package checked against its hash.
#   install.sh LOCK FOLDER
set -eu
python -m pip install --quiet --no-cache-dir --no-compile --root-user-action ignore \
  --require-hashes --no-deps --only-binary :all: --target "$2" --requirement "$1"
rm -rf "${2:?}/bin"
# The packages' own tests, a tenth of all. Some of NumPy's are imported by what is not a test.
find "$2" -name numpy -prune -o -type d -name tests -prune -exec rm -r {} +
