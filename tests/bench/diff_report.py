"""What a report on 10,000 objects costs: `python -m tests.bench diff_report` prints one JSON object.

The command itself in a process of its own, against an API server (a plain HTTP server that serves the
lists, page by page) and the AWS double on this machine: seconds, CPU seconds of the command, peak memory
(VmHWM); the size of the page; and, where there is a Chromium, the time until the page can be used and until
a search has found.

The tool's own work is the run with `--no-aws`: reading the cluster, translating, comparing, writing. With
AWS there are one Describe call for each thing and boto3's work on it; here they go as fast as `--aws-rate`
and the double allow, and `describeCpuSeconds` is what as many calls cost boto3 alone. In an account the
default rate, 20 calls a second and region, sets the pace: 10,000 things take eight minutes.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.report.copies import together
from tests.report.fleet import Fleet
from tests.stack.aws import AwsDouble
from tests.stack.bridge import environment
from tests.stack.paths import PLURALS
from translators.model import AwsResource, Found, Json

PAGE = 500
COPY = 66
"""Old objects of one recorded fleet."""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--aws-rate", type=float, default=5000.0)
    parser.add_argument("--no-browser", action="store_true")
    chosen = parser.parse_args()
    fleet = together(-(-chosen.objects // COPY))
    figures: Json = {"objects": len(fleet.old), "ackObjects": len(fleet.ack), "thingsInAws": len(fleet.aws)}
    with tempfile.TemporaryDirectory() as name, serving(fleet) as kubeconfig, AwsDouble() as aws:
        folder = Path(name)
        fill(aws, fleet)
        things = list(fleet.aws)
        del fleet
        env = environment(Path(kubeconfig), aws.url)
        page = folder / "report.html"
        without = ["-o", "html", "--out", str(page), "--no-aws"]
        figures["html without AWS"] = _run(env, without)
        figures["describeCpuSeconds"] = _describes(env, things)
        for form in ("html", "json", "text"):
            out = folder / f"report.{form}"
            arguments = ["-o", form, "--out", str(out), "--aws-rate", str(chosen.aws_rate)]
            figures[f"{form} with AWS"] = _run(env, arguments)
            figures[f"{form} with AWS"]["megabytes"] = round(out.stat().st_size / 1e6, 2)
        if not chosen.no_browser:
            figures["browser"] = browser(page)
    print(json.dumps(figures, indent=1))


def _run(env: dict[str, str], arguments: list[str]) -> Json:
    """One run of the command; time, and the peak of its memory as the kernel says it at the very end."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", _MEASURED, *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = process.communicate()
    seconds = time.monotonic() - began
    assert process.returncode in {0, 2}, err.decode()
    measured: Json = json.loads(out)
    return {"seconds": round(seconds, 1), **measured}


_MEASURED = """
import json, pathlib, resource, sys
from bridge.cli.app import build, run
status = run(build(), ["diff-report", *sys.argv[1:]])
usage = resource.getrusage(resource.RUSAGE_SELF)
peak = next(x for x in pathlib.Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
cpu = round(usage.ru_utime + usage.ru_stime, 1)
print(json.dumps({"cpuSeconds": cpu, "peakMiB": int(peak.split()[1]) // 1024}))
sys.exit(status)
"""
"""The peak that `wait4` tells of a child holds what its parent had when it forked."""


def _describes(env: dict[str, str], resources: list[AwsResource]) -> float:
    """CPU seconds that the same calls cost boto3 alone, measured on some of them."""
    done = subprocess.run(
        [sys.executable, "-c", _DESCRIBED],
        env=env,
        input=json.dumps([[r.kind, r.region, r.name] for r in resources[:: max(1, len(resources) // 500)]]),
        capture_output=True,
        text=True,
        check=True,
    )
    return round(float(done.stdout) * len(resources), 1)


_DESCRIBED = """
import json, sys, time
from bridge.aws.answers import AwsAnswers
from bridge.aws.rate import Rate
from bridge.aws.sessions import Sessions
from translators.migration import lookup
from translators.model import AwsResource, Found
questions = [lookup.question(AwsResource(*named)) for named in json.load(sys.stdin)]
aws = AwsAnswers(Sessions(), rate=Rate(1e6, 10**6))
first = {question.operation: question for question in questions}
assert all(isinstance(aws.ask(question), Found) for question in first.values())
began = time.process_time()
for question in questions:
    aws.ask(question)
print((time.process_time() - began) / len(questions))
"""


def fill(aws: AwsDouble, fleet: Fleet) -> None:
    """Puts what a fleet has in AWS into the double."""
    with aws.state.lock:
        for thing, answer in fleet.aws.items():
            assert isinstance(answer, Found)
            aws.state.add(thing.kind, thing.region, thing.name, dict(answer.data), tags=[])


@contextmanager
def serving(fleet: Fleet) -> Iterator[str]:
    """An HTTP server that answers discovery and lists, and a kubeconfig for it."""
    lists: dict[str, list[bytes]] = {}
    kinds: dict[str, list[Json]] = {}
    for obj in [*fleet.old, *fleet.ack]:
        path = f"/apis/{obj['apiVersion']}/{PLURALS[obj['kind']]}"
        lists.setdefault(path, []).append(json.dumps(obj).encode())
        entry = {"kind": obj["kind"], "name": PLURALS[obj["kind"]], "namespaced": True}
        known = kinds.setdefault(f"/apis/{obj['apiVersion']}", [])
        if entry not in known:
            known.append(entry)

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path in kinds:
                body = json.dumps({"resources": kinds[asked.path]}).encode()
            else:
                query = parse_qs(asked.query)
                start = int(query.get("continue", ["0"])[0])
                found = lists.get(asked.path, [])
                more = str(start + PAGE) if start + PAGE < len(found) else ""
                head = json.dumps({"resourceVersion": "1", "continue": more}).encode()
                items = b",".join(found[start : start + PAGE])
                body = b'{"metadata":' + head + b',"items":[' + items + b"]}"
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        document = {
            "clusters": [{"name": "bench", "cluster": {"server": url}}],
            "users": [{"name": "bench", "user": {"token": "bench"}}],
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
            "current-context": "bench",
        }
        json.dump(document, config)
        config.flush()
        yield config.name
    server.shutdown()
    server.server_close()


def browser(page: Path, times: int = 5) -> Json:
    """Milliseconds from the navigation to a page that answers, and from a search to its result."""
    from tests.report.test_browser import BROWSER, DRIVER, started_browser

    if not (BROWSER and DRIVER):
        return {"skipped": "no Chromium"}
    ready, searched = [], []
    with started_browser() as driver:
        for _ in range(times):
            driver.get("about:blank")
            driver.get(page.as_uri())
            ready.append(float(driver.execute_script("return document.documentElement.dataset.ready")))
            searched.append(float(driver.execute_async_script(_SEARCH)))
    return {
        "interactiveMs": round(statistics.median(ready)),
        "slowestInteractiveMs": round(max(ready)),
        "searchMs": round(statistics.median(searched)),
    }


_SEARCH = """
  const done = arguments[arguments.length - 1], began = performance.now();
  const search = document.getElementById('search'), shown = document.getElementById('shown');
  new MutationObserver(() => done(performance.now() - began)).observe(shown, {childList: true});
  search.value = 'nightly-a-1';
  search.dispatchEvent(new Event('input'));
"""

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    main()
    sys.exit()
