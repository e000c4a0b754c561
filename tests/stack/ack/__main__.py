"""`python -m tests.stack.ack`: ACK against a cluster and an AWS endpoint, until Ctrl-C."""

from __future__ import annotations

import argparse
import base64
import logging
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from ruamel.yaml import YAML

from bridge.errors import EXIT_ERROR, LocalStackError
from tests.stack.ack import start_ack


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack.ack", description=__doc__)
    parser.add_argument("--kubeconfig", default=os.environ.get("KUBECONFIG", ""), help="with a bearer token")
    parser.add_argument("--aws-url", default=os.environ.get("AWS_ENDPOINT_URL", ""))
    parser.add_argument("--aws-region", default=os.environ.get("AWS_REGION", "us-west-2"))
    parser.add_argument("--speed", type=float, default=1.0, help="ACK's seconds in a real one")
    parser.add_argument("--workers", type=int, default=1, help="concurrent passes a kind")
    parser.add_argument("--namespace", action="append", help="repeatable; all where not given")
    parser.add_argument("--verbose", action="store_true", help="say why passes fail")
    said = parser.parse_args(arguments)
    if not said.kubeconfig or not said.aws_url:
        parser.error("--kubeconfig (or KUBECONFIG) and --aws-url (or AWS_ENDPOINT_URL) are needed")
    logging.basicConfig(level=logging.DEBUG if said.verbose else logging.WARNING, format="%(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with tempfile.TemporaryDirectory(prefix="ack-") as folder:
        try:
            url, token, ca_file = _cluster(Path(said.kubeconfig), Path(folder))
            ack = start_ack(
                kube_url=url,
                token=token,
                ca_file=ca_file,
                kubeconfig=Path(said.kubeconfig),
                aws_url=said.aws_url,
                aws_region=said.aws_region,
                speed=said.speed,
                workers=said.workers,
                namespaces=said.namespace,
                folder=Path(folder),
            )
        except LocalStackError as error:
            print(f"ack: {error}", file=sys.stderr)
            return EXIT_ERROR
        print(f"ACK is {ack.description}; Ctrl-C ends it", file=sys.stderr)
        over.wait()
        ack.stop()
    return 0


def _cluster(kubeconfig: Path, folder: Path) -> tuple[str, str, Path]:
    """The current context's server, token and CA file. Raises `LocalStackError`."""
    try:
        document = YAML(typ="safe", pure=True).load(kubeconfig.read_text())
        chosen = document["current-context"]
        context = next(c["context"] for c in document["contexts"] if c["name"] == chosen)
        cluster = next(c["cluster"] for c in document["clusters"] if c["name"] == context["cluster"])
        user = next(u["user"] for u in document["users"] if u["name"] == context["user"])
        if "certificate-authority-data" in cluster:
            ca_file = folder / "ca.crt"
            ca_file.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
        else:
            ca_file = kubeconfig.parent / cluster["certificate-authority"]
        return cluster["server"], user["token"], ca_file
    except (OSError, KeyError, TypeError, StopIteration) as error:
        raise LocalStackError(
            f"{kubeconfig}: a current context with a server, a CA and a bearer token is needed ({error!r})"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
