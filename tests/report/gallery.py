"""Makes `docs/gallery/`: for each old kind before and after as YAML, and the report of a real difference.

`python -m pytest tests/report/test_gallery.py --update-golden` writes the files. Everything in them is
from the recorded fleet and the seeds, so a change of the translation or of a report shows here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bridge import datafiles
from bridge.report import html, markdown, text
from tests.migration import fleet
from tests.report.fleet import Fleet
from tests.report.seeds import SEEDS
from translators.migration.selection import Selection, parse_name
from translators.model import Json
from translators.translation import translate, translate_endpoint

FOLDER = Path(__file__).parents[2] / "docs" / "gallery"


@dataclass(frozen=True)
class Picture:
    """One kind: the object, the seed (none: as recorded), and what that means in words."""

    kind: str
    name: str
    seed: str
    story: str


PICTURES = (
    Picture(
        "TrainingJob",
        "long-run",
        "adopted training: volume",
        "ACK has adopted the job, and then AWS describes another volume: it was made anew under its name.",
    ),
    Picture(
        "ProcessingJob",
        "clean-a",
        "processing: environment",
        "Nothing is migrated yet, and the job in AWS runs with another environment. Values of an environment "
        "are hidden; the letters say that they differ.",
    ),
    Picture(
        "BatchTransformJob",
        "score-a",
        "old transform: an endpoint of its own",
        "The old object names a SageMaker endpoint of its own, which ACK has no field for.",
    ),
    Picture(
        "HyperparameterTuningJob",
        "tune",
        "ACK tuning: AWS' own key",
        "Adoption has brought a key into the ACK object that AWS adds by itself.",
    ),
    Picture(
        "HostingDeployment",
        "pair",
        "endpoint: capacity",
        "Somebody has given the running variant more instances.",
    ),
    Picture(
        "Model",
        "alone",
        "adopted model is gone",
        "ACK has adopted the model, and then somebody deleted it in AWS.",
    ),
    Picture(
        "EndpointConfig",
        "pair-1-2bd62a1f804e45508baa04e1c76cf00b",
        "ACK configuration: key",
        "Somebody has edited the ACK object. ACK can't change an endpoint configuration.",
    ),
    Picture(
        "HostingAutoscalingPolicy",
        "both",
        "",
        "As recorded: `both` and `cpu` name the same variant of `scaled-b`, and `cpu` was written last.",
    ),
)


def pages() -> Iterator[tuple[str, str]]:
    """File name and content of everything in the gallery that is text."""
    yield "README.md", _contents()
    for picture in PICTURES:
        yield f"{picture.kind.lower()}.md", _page(picture)
    yield "report.html", "".join(html.render(_all().report()))
    yield "report.md", "\n".join(markdown.render(_all().report())) + "\n"


def _all() -> Fleet:
    """A fleet with all differences of the gallery that can be in one."""
    whole = Fleet.untouched(migrated=True)
    for seed in SEEDS:
        if seed.migrated and seed.name in {picture.seed for picture in PICTURES}:
            seed.plant(whole)
    return whole


def _contents() -> str:
    rows = [f"| [{p.kind}]({p.kind.lower()}.md) | {p.story} |" for p in PICTURES]
    return "\n".join(
        [
            "# Gallery",
            "",
            "For each old kind: an old object, the ACK objects that it becomes, and what",
            "[`ack-bridge diff-report`](../diff-report.md) says about a difference. The objects are those of",
            "a recorded cluster; the differences were made in a copy of it.",
            "",
            "| kind | the difference |",
            "| --- | --- |",
            *rows,
            "",
            "All of them in one report: [as a page](report.html) (save it and open it in a browser), and",
            "[as Markdown](report.md) for a ticket.",
            "",
            "| light | dark |",
            "| --- | --- |",
            "| ![The page in light colours](light.png) | ![The page in dark colours](dark.png) |",
            "",
        ]
    )


def _page(picture: Picture) -> str:
    seed = next((seed for seed in SEEDS if seed.name == picture.seed), None)
    shown = Fleet.untouched(migrated=seed.migrated if seed else False)
    legacy = shown.legacy(picture.kind, picture.name)
    after = _translated(legacy)
    if seed is not None:
        seed.plant(shown)
    selection = Selection(names=(parse_name(f"{picture.kind}/default/{legacy['metadata']['name']}"),))
    report = list(text.render(shown.report(selection)))
    behaviours = next(
        (n for n, line in enumerate(report) if line.startswith("Works differently")), len(report)
    )
    return "\n".join(
        [
            f"# {picture.kind}",
            "",
            "## Before",
            "",
            "```yaml",
            _dumped(_applied(legacy)),
            "```",
            "",
            "## After",
            "",
            "```yaml",
            "\n---\n".join(_dumped(obj) for obj in after),
            "```",
            "",
            "## A difference",
            "",
            picture.story,
            "",
            "```text",
            *report[: behaviours - 1],
            "```",
            "",
        ]
    )


def _applied(legacy: Json) -> Json:
    """What its user applied, if that was recorded; what a deployment made is shown as it is stored."""
    name = legacy["metadata"]["name"]
    for line in fleet.lines("manifests.jsonl"):
        applied: Json = line["object"]
        if applied["kind"] == legacy["kind"] and applied["metadata"]["name"] == name:
            return applied
    metadata = {key: legacy["metadata"][key] for key in ("name", "namespace", "labels")}
    kept = {"apiVersion": legacy["apiVersion"], "kind": legacy["kind"], "metadata": metadata}
    return {**kept, "spec": legacy["spec"]}


def _translated(legacy: Json) -> tuple[Json, ...]:
    mapping = datafiles.mappings().kinds[legacy["kind"]]
    if legacy["kind"] == "HostingDeployment":
        return translate_endpoint(mapping, legacy, legacy["status"]["endpointConfigName"]).objects
    return translate(mapping, legacy).objects


def _dumped(obj: Json) -> str:
    return str(yaml.safe_dump(obj, sort_keys=False, width=110)).rstrip("\n")
