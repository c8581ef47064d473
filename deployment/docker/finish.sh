#!/bin/sh
# In a build stage: compile the Python code below a folder, and set the times of all files to one value.
#   finish.sh FOLDER
# The bytecode does not contain the time of its source, so that equal sources give equal layers.
set -eu
python -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$1" "$1" >/dev/null
find "$1" -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH:-0}" {} +
