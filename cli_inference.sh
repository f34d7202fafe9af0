#!/usr/bin/env bash
# Asks for everything in the terminal, shows the command, and runs it: ./cli_inference.sh [SONG]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
for python in "${PYTHON:-}" "$here/.venv/bin/python" python3 python; do
  if [ -n "$python" ] && command -v "$python" >/dev/null 2>&1; then
    PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}" exec "$python" -m mapperatorinator interactive "$@"
  fi
done
echo "Python 3.10 to 3.13 is needed; install it or name it: PYTHON=/path/to/python ./cli_inference.sh" >&2
exit 1
