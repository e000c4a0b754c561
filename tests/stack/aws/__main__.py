"""`python -m tests.stack.aws`: the double on its own, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from tests.stack.aws import AwsDouble, Clock, Timing


def main() -> int:
    """Serve; prints the URL on stdout."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack.aws", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of AWS in a real second")
    parser.add_argument("--job-seconds", type=float, default=Timing.job)
    parser.add_argument("--endpoint-seconds", type=float, default=Timing.endpoint)
    arguments = parser.parse_args()
    timing = Timing(job=arguments.job_seconds, endpoint=arguments.endpoint_seconds)
    ended = threading.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, lambda *_: ended.set())
    with AwsDouble(
        port=arguments.port, clock=Clock(speed=arguments.speed), timing=timing, job_logs=True
    ) as double:
        print(double.url, flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
