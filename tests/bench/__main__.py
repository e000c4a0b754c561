"""`make bench`: figures of speed and memory, each from one run on this machine; load is bounded in time.

    python -m tests.bench [diff_report] [feed] [jobs] [migration] [tuning] [translate]    all if none is named
    python -m tests.bench scale --objects 1000 5000 10000
    python -m tests.bench soak --minutes 30

Prints one JSON object a figure. Nothing is asserted: a figure is read by a person.
"""

from __future__ import annotations

import json
import subprocess
import sys

FIGURES = ("translate", "diff_report", "jobs", "tuning", "feed", "migration")
ON_REQUEST = ("scale", "soak")
"""They take long, and options of their own."""


def main() -> int:
    """Each figure in a process of its own, so that none has the memory of another."""
    wanted = sys.argv[1:] or list(FIGURES)
    if wanted[0] in ON_REQUEST:
        module = f"tests.bench.{wanted[0]}"
        return subprocess.run([sys.executable, "-m", module, *wanted[1:]], check=False).returncode
    unknown = set(wanted) - set(FIGURES)
    if unknown:
        print(
            f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join((*FIGURES, *ON_REQUEST))}",
            file=sys.stderr,
        )
        return 1
    for name in wanted:
        print(json.dumps({"figure": name}), flush=True)
        done = subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False)
        if done.returncode != 0:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
