#!/bin/sh
# In a build stage: compile the Python below a folder, and give all of it one time.
#   finish.sh FOLDER
# The bytecode does not look at its source's time, so that equal sources give equal layers.
set -eu
python -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$1" "$1" >/dev/null
find "$1" -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH:-0}" {} +
