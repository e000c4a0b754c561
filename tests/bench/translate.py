"""A thousand documents in one call of `ack-bridge translate`: seconds, and memory at its highest."""

from __future__ import annotations

import json
import resource
import subprocess
import time
from pathlib import Path

from tests.stack.bridge import command

DOCUMENTS = 1000
EXAMPLES = Path(__file__).parents[2] / "examples"


def main() -> None:
    """Prints the figures."""
    texts = [path.read_text() for path in sorted(EXAMPLES.glob("*.yaml"))]
    many = "---\n".join(texts[n % len(texts)] for n in range(DOCUMENTS))
    began = time.perf_counter()
    done = subprocess.run(
        command("translate", "-f", "-"), input=many, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {
        "documents": DOCUMENTS,
        "exit code": done.returncode,
        "ACK objects": done.stdout.count("\nkind: ") + done.stdout.startswith("kind: "),
        "seconds": round(seconds, 2),
        "CPU seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak MiB": round(used.ru_maxrss / 1024, 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
