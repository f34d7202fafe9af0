"""Exit codes and the last line a user sees: 0 done, 1 our fault, 2 the user can mend it, 130 interrupted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from io import TextIOWrapper

from mapperatorinator.errors import UserError

BUG, USER_ERROR, INTERRUPTED = 1, 2, 130
DEBUG_VARIABLE = "MAPPERATORINATOR_DEBUG"


def guarded(work: Callable[[], int]) -> int:
    """Run `work` and turn what goes wrong into one sentence on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path may hold what a terminal cannot show
    try:
        return work()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    except BrokenPipeError:
        # The reader of our output went away; keep Python from complaining again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted; nothing was written.", file=sys.stderr)
        return INTERRUPTED
    except MemoryError:
        print(
            "error: the computer ran out of memory; close other programs or try a shorter song.",
            file=sys.stderr,
        )
        return BUG
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        text = f"{type(error).__name__}: {error}".rstrip(": ")
        print(
            f"error: a bug in Mapperatorinator stopped this ({text}); "
            f"set {DEBUG_VARIABLE}=1 to see where, and please report it.",
            file=sys.stderr,
        )
        return BUG
