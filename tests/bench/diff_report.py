"""What a report on 10,000 objects costs: `python -m tests.bench.diff_report` prints one JSON object.

The command itself in a process of its own, against an API server (a plain HTTP server that serves the
lists, page by page) and the AWS double on this machine: seconds, CPU seconds, peak memory; the size of the
page; and, where there is a Chromium, the time until the page can be used and until a search has found.
Twice: with AWS, at `--aws-rate`, and without. The default rate of the command is 20 calls a second and
region, so that with real quotas it is AWS that sets the pace.
"""

from __future__ import annotations

import argparse
import json
import os
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
from tests.stack.bridge import command, environment
from tests.stack.paths import PLURALS
from translators.model import Found, Json

PAGE = 500
COPY = 66
"""Old objects of one recorded fleet."""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--aws-rate", type=float, default=2000.0)
    parser.add_argument("--no-browser", action="store_true")
    chosen = parser.parse_args()
    fleet = together(-(-chosen.objects // COPY))
    figures: Json = {"objects": len(fleet.old), "ackObjects": len(fleet.ack), "thingsInAws": len(fleet.aws)}
    with tempfile.TemporaryDirectory() as name, _cluster(fleet) as kubeconfig, AwsDouble() as aws:
        folder = Path(name)
        _fill(aws, fleet)
        del fleet
        env = environment(Path(kubeconfig), aws.url)
        page = folder / "report.html"
        without = ["-o", "html", "--out", str(page), "--no-aws"]
        figures["html without AWS"] = _run(env, without)
        for form in ("html", "json", "text"):
            out = folder / f"report.{form}"
            arguments = ["-o", form, "--out", str(out), "--aws-rate", str(chosen.aws_rate)]
            figures[f"{form} with AWS"] = _run(env, arguments)
            figures[f"{form} with AWS"]["megabytes"] = round(out.stat().st_size / 1e6, 2)
        if not chosen.no_browser:
            figures["browser"] = browser(page)
    print(json.dumps(figures, indent=1))


def _run(env: dict[str, str], arguments: list[str]) -> Json:
    """One run of the command; time, and the peak of its memory."""
    began = time.monotonic()
    process = subprocess.Popen(command("diff-report", *arguments), env=env, stderr=subprocess.PIPE)
    stderr = process.stderr
    assert stderr is not None
    said = stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {0, 2}, said
    return {
        "seconds": round(time.monotonic() - began, 1),
        "cpuSeconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peakMiB": usage.ru_maxrss // 1024,
    }


def _fill(aws: AwsDouble, fleet: Fleet) -> None:
    with aws.state.lock:
        for thing, answer in fleet.aws.items():
            assert isinstance(answer, Found)
            aws.state.add(thing.kind, thing.region, thing.name, dict(answer.data), tags=[])


@contextmanager
def _cluster(fleet: Fleet) -> Iterator[str]:
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
