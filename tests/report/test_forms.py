"""The forms of a report: JSON by its schema, the same bytes for the same state, nothing hidden that shows."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import jsonschema
import pytest

from bridge.report import document, html, markdown, text
from bridge.report.values import as_text, visible, with_commands
from tests.report.fleet import Fleet, failure, of
from tests.report.seeds import SEEDS
from translators.comparison.model import MISSING, Hidden, Report
from translators.comparison.redaction import scrubbed
from translators.model import Json

FORMS: dict[str, Callable[[Report], Iterator[str]]] = {
    "json": document.render,
    "html": html.render,
    "markdown": markdown.render,
    "text": text.render,
}
SECRET = "hunter2-do-not-print"
TOKEN = "AKIAIOSFODNN7EXAMPLE"
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


def rendered(form: str, report: Report) -> str:
    return "\n".join(FORMS[form](report)) if form in {"text", "markdown"} else "".join(FORMS[form](report))


def seeded() -> Fleet:
    """A fleet with every sort of difference in it."""
    fleet = Fleet.untouched(migrated=True)
    for seed in SEEDS:
        if seed.migrated and not seed.alone:
            seed.plant(fleet)
    fleet.aws[fleet.resource("ProcessingJob", "long-clean")] = failure()
    fleet.unreadable.append(("endpoints.sagemaker.services.k8s.aws", "GET /apis/...: forbidden"))
    return fleet


@cache
def seeded_report() -> Report:
    return seeded().report()


@cache
def untouched_report() -> Report:
    return Fleet.untouched(migrated=True).report()


@cache
def secretive_report(*, show_values: bool) -> Report:
    return secretive().report(show_values=show_values)


@cache
def hostile_report() -> Report:
    return hostile().report(show_values=True)


def secretive() -> Fleet:
    """Secrets in every place where a report could show one."""
    fleet = Fleet.untouched(migrated=True)
    fleet.described("ProcessingJob", "clean-a")["Environment"]["LOG_LEVEL"] = SECRET
    fleet.described("ProcessingJob", "clean-a")["AppSpecification"]["ContainerArguments"] = [
        "--db-password",
        SECRET,
        f"--api-key={SECRET}",
        f"--url=https://user:{SECRET}@db.example/x",
    ]
    fleet.described("Model", "alone")["PrimaryContainer"]["Environment"]["WORKERS"] = SECRET
    job = fleet.legacy("TrainingJob", "long-run")
    job["spec"]["hyperParameters"] += [
        {"name": "wandb_api_key", "value": SECRET},
        {"name": "note", "value": f"uses {TOKEN} for S3"},
    ]
    # The same on both sides, so that it is among the fields that are equal.
    for name in ("wandb_api_key", "hf_token"):
        fleet.described("TrainingJob", "nightly-a")["HyperParameters"][name] = SECRET
        fleet.legacy("TrainingJob", "nightly-a")["spec"]["hyperParameters"].append(
            {"name": name, "value": SECRET}
        )
        fleet.adopted("TrainingJob", "nightly-a")["spec"]["hyperParameters"][name] = SECRET
    fleet.adopted("ProcessingJob", "clean-b")["status"]["conditions"].append(
        {"type": "ACK.Terminal", "status": "True", "message": f"denied: token={SECRET} and {TOKEN}"}
    )
    fleet.unreadable.append(("x.yaml", f"https://user:{SECRET}@host/ is not there"))
    return fleet


def test_the_json_is_what_its_schema_says() -> None:
    schema = document.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for report in (
        seeded_report(),
        seeded().report(aws=False),
        Fleet.untouched(migrated=False).report(show_values=True),
        Fleet(old=[], ack=[], aws={}).report(),
    ):
        validator.validate(json.loads(rendered("json", report)))


def test_the_schema_forbids_what_it_does_not_describe() -> None:
    """So that a field which is added to the report has to be described as well."""
    said = json.loads(rendered("json", seeded_report()))
    said["objects"][0]["more"] = 1
    assert list(jsonschema.Draft202012Validator(document.schema()).iter_errors(said))


@pytest.mark.parametrize("form", FORMS)
def test_the_same_state_gives_the_same_bytes_in_whatever_order_it_was_read(form: str) -> None:
    shuffled = seeded()
    for side in (shuffled.old, shuffled.ack):
        random.Random(7).shuffle(side)
    shuffled.old = [json.loads(json.dumps(obj, sort_keys=True)) for obj in shuffled.old]
    assert rendered(form, shuffled.report()) == rendered(form, seeded_report())


@pytest.mark.parametrize("form", FORMS)
def test_no_secret_is_shown_in_any_form(form: str) -> None:
    said = rendered(form, secretive_report(show_values=False))
    assert SECRET not in said
    assert TOKEN not in said


@pytest.mark.parametrize("form", FORMS)
def test_show_values_shows_them(form: str) -> None:
    said = rendered(form, secretive_report(show_values=True))
    assert SECRET in said
    assert TOKEN in said


def test_hidden_values_still_tell_which_sides_agree() -> None:
    fleet = secretive()
    (difference,) = [
        d
        for d in of(fleet.report(), "ProcessingJob", "clean-a").differences
        if d.path == "environment.LOG_LEVEL"
    ]
    assert difference.translated == difference.ack == Hidden("A")
    assert difference.aws == Hidden("B")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"key {TOKEN} used", "key (hidden) used"),
        ("https://bob:geheim@host/x", "https://(hidden)@host/x"),
        ("s3://b/k?X-Amz-Signature=abc123&x=1", "s3://b/k?X-Amz-Signature=(hidden)&x=1"),
        ("password=abc, user=bob", "password=(hidden), user=bob"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "(hidden)"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "(hidden)"),
        ("postgres://u:pa/s@s/x@h/db", "postgres://(hidden)@h/db"),
        ("https://abcdef@git.example.com/r", "https://(hidden)@git.example.com/r"),
        ("mongodb+srv://u:geheim@h", "mongodb+srv://(hidden)@h"),
        ('{"password": "x y", "user": "bob"}', '{"password": (hidden), "user": "bob"}'),
        ('{"db.password.value": 12, "n": 1}', '{"db.password.value": (hidden), "n": 1}'),
        ('"{\\"api_key\\": \\"x\\"}"', '"{\\"api_key\\": (hidden)}"'),
        ("export PASSWORD='x, y' && run", "export PASSWORD=(hidden) && run"),
        ("user: bob\npassword: geheim\nport: 1", "user: bob\npassword: (hidden)\nport: 1"),
        ("Authorization: Bearer abc", "Authorization: Bearer (hidden)"),
        ("use bearer abc123short now", "use bearer (hidden) now"),
        ("https://h/?sig=abc%2F1&se=1", "https://h/?sig=(hidden)&se=1"),
        (
            "AccountName=a;AccountKey=abc==;EndpointSuffix=x",
            "AccountName=a;AccountKey=(hidden);EndpointSuffix=x",
        ),
        ("DB_PASSWORD_PROD=x --epochs=3", "DB_PASSWORD_PROD=(hidden) --epochs=3"),
        ("ssh://git@github.com/o/r", "ssh://git@github.com/o/r"),
        ("https://registry.example/@scope/pkg", "https://registry.example/@scope/pkg"),
        ("img@sha256:0a1b", "img@sha256:0a1b"),
        ("--max_tokens=512 --pad_token_id=0", "--max_tokens=512 --pad_token_id=0"),
        ("a bearer token is needed: see the manual", "a bearer token is needed: see the manual"),
        ("the secret: see the manual for it", "the secret: see the manual for it"),
        ("arn:aws:iam::123456789012:role/churn-sagemaker", "arn:aws:iam::123456789012:role/churn-sagemaker"),
        ("the token bucket is empty", "the token bucket is empty"),
        ("s3://bucket/keys/secret-santa/", "s3://bucket/keys/secret-santa/"),
    ],
)
def test_what_is_a_secret_by_its_form_is_hidden_and_nothing_else(said: str, left: str) -> None:
    assert scrubbed(said) == left


def test_ordinary_hyperparameters_stay_readable() -> None:
    fleet = Fleet.untouched(migrated=False)
    values = {"max_tokens": "512", "tokenizer": "bpe", "keypoints": "9", "primary_metric": "auc"}
    fleet.described("TrainingJob", "nightly-a")["HyperParameters"].update(values)
    found = {d.path: d.aws for d in of(fleet.report(), "TrainingJob", "nightly-a").differences}
    assert {name: found[f"hyperParameters.{name}"] for name in values} == values


@pytest.mark.parametrize(
    "name",
    [
        "db.password.value",
        "password.prod",
        "auth.token.prod",
        "licenseKey",
        "dbpass",
        "a b.password.c",
        "encryption_key",
    ],
)
def test_a_name_that_speaks_of_a_secret_anywhere_hides_its_value(name: str) -> None:
    fleet = Fleet.untouched(migrated=False)
    fleet.legacy("TrainingJob", "nightly-a")["spec"]["hyperParameters"].append(
        {"name": name, "value": SECRET}
    )
    assert SECRET not in rendered("text", fleet.report())


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("TrainingJob", {"hyperParameters": [{"name": "db_password", "value": 12345678}]}),
        ("TrainingJob", {"hyperParameters": ["db_password=12345678"]}),
        ("ProcessingJob", {"environment": [{"name": "PIN", "value": 12345678}]}),
        ("ProcessingJob", {"environment": "PIN=12345678"}),
        (
            "ProcessingJob",
            {"appSpecification": {"imageUri": "i", "containerArguments": ["--db-password", 12345678]}},
        ),
    ],
)
def test_what_is_wrong_with_a_private_value_is_said_without_it(kind: str, spec: Json) -> None:
    fleet = Fleet.untouched(migrated=False)
    name = "nightly-a" if kind == "TrainingJob" else "clean-a"
    fleet.legacy(kind, name)["spec"] |= spec
    said = rendered("text", fleet.report(aws=False))
    assert "It can't be translated: must be " in said
    assert "12345678" not in said


def hostile() -> Fleet:
    """HTML, Markdown and terminal commands in names, tags, environment, failure reasons."""
    fleet = Fleet.untouched(migrated=True)
    nasty = f"{HOSTILE}\x1b[2J|`](http://evil.example)\u202e\n# heading"
    old = fleet.legacy("TrainingJob", "nightly-fail")
    old["spec"]["hyperParameters"].append({"name": nasty, "value": nasty})
    old["spec"]["tags"] = [{"key": nasty, "value": nasty}]
    fleet.described("ProcessingJob", "clean-a")["Environment"][nasty] = nasty
    fleet.described("ProcessingJob", "clean-a")["ProcessingJobStatus"] = nasty
    fleet.adopted("TrainingJob", "nightly-fail")["status"]["conditions"].append(
        {"type": "ACK.Terminal", "status": "True", "message": nasty}
    )
    fleet.aws[fleet.resource("TransformJob", "score-b")] = failure(nasty)
    fleet.unreadable.append((nasty, nasty))
    return fleet


@pytest.mark.parametrize("form", FORMS)
def test_what_an_object_holds_is_never_obeyed_by_a_terminal(form: str) -> None:
    said = rendered(form, hostile_report())
    if form != "json":
        assert "\x1b" not in said
        assert "\u202e" not in said
    assert "\x1b[2J" not in said  # JSON escapes control characters


def test_in_html_nothing_of_an_object_is_markup() -> None:
    said = rendered("html", hostile_report())
    assert HOSTILE not in said
    assert "<img" not in said
    # Our two scripts: the data, which is no script, and the one that the policy names.
    assert said.count("<script") == 2
    assert said.count("</script") == 2


def test_the_html_needs_nothing_from_elsewhere_and_may_not_fetch_it() -> None:
    said = rendered("html", seeded_report())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', said)
    assert policy is not None
    rules = policy.group(1).replace("&#39;", "'")
    assert "default-src 'none'" in rules
    assert "unsafe" not in rules
    for fetching in (
        r"\bsrc\s*=",
        r"\bhref\s*=",
        r"url\(",
        r"@import",
        r"\bfetch\(",
        "XMLHttpRequest",
        "innerHTML",
    ):
        assert not re.search(fetching, re.sub(r'id="data">.*?</script>', "", said, flags=re.DOTALL)), fetching


def test_in_markdown_nothing_of_an_object_is_markdown_or_html() -> None:
    said = rendered("markdown", hostile_report())
    assert "\n# heading" not in said
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", said)
    assert "<script" not in outside_code.replace("\\<", "")
    assert "](http" not in outside_code.replace("\\]", "").replace("\\(", "")
    tables = [line for line in said.splitlines() if line.startswith("|")]
    cells = {len(re.split(r"(?<!\\)\|", line)) for line in tables}
    assert cells == {10, 9, 7}, "a cell was broken up"  # of the summary, of objects, of behaviours


def test_text_is_coloured_only_where_it_is_asked_for() -> None:
    report = seeded_report()
    assert "\x1b" not in rendered("text", report)
    assert "\x1b[" in "\n".join(text.render(report, colour=True))


def test_text_tells_what_matters_and_all_of_it_on_demand() -> None:
    report = untouched_report()
    said = rendered("text", report)
    assert "HostingAutoscalingPolicy/default/both" in said
    assert "TrainingJob/default/nightly-a" not in said
    everything = "\n".join(text.render(report, everything=True))
    assert "TrainingJob/default/nightly-a" in everything
    assert "63 objects without a difference that matters not shown; --all shows them." in said


def test_a_thing_that_could_not_be_read_has_a_line_of_its_own_in_every_form() -> None:
    report = seeded_report()
    for form in FORMS:
        said = rendered(form, report)
        assert "is not authorized" in said, form
        assert "forbidden" in said, form


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("eu-west-1", "eu-west-1"),
        ("7", '"7"'),
        (7, "7"),
        ("true", '"true"'),
        (True, "true"),
        ("", '""'),
        ("not set", '"not set"'),
        ("a\nb", "a\\nb"),
        (" x", '" x"'),
        (["b", 1], '["b", 1]'),
        ({"{k}": Hidden()}, '{"k": "(hidden)"}'),
        (MISSING, "not set"),
        (Hidden("B"), "(hidden B)"),
        (70.5, "70.5"),
    ],
)
def test_values_are_written_so_that_they_cannot_be_taken_for_others(value: Any, shown: str) -> None:
    assert as_text(value) == shown


def test_characters_that_are_obeyed_and_not_shown_are_escaped() -> None:
    assert visible("a\x1b[0mb\u202ec\u200bd") == "a\\x1b[0mb\\u202ec\\u200bd"
    assert visible("Übergröße 大 é") == "Übergröße 大 é"


def test_commands_are_told_apart_from_sentences() -> None:
    assert with_commands("Run `kubectl get x`, then look.") == [
        ("Run ", False),
        ("kubectl get x", True),
        (", then look.", False),
    ]
    assert with_commands("a lonely ` is none") == [("a lonely ` is none", False)]


def test_the_summary_counts_every_object_once() -> None:
    said: Json = json.loads(rendered("json", seeded_report()))
    summary = said["summary"]
    assert sum(summary["classes"].values()) + 1 == summary["objects"] == 66  # one object is unread
    for group in ("kinds", "namespaces"):
        assert sum(sum(counts.values()) for counts in summary[group].values()) == 66
    assert summary["notRead"] == 2


def test_beyond_its_limit_the_page_leaves_out_equal_fields_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = untouched_report()
    whole = rendered("html", report)
    monkeypatch.setattr(html, "PAGE_LIMIT", 10_000)
    small = rendered("html", report)
    assert len(small) < len(whole)
    assert "Fields that are equal on all sides are left out" in small
    assert "Fields that are equal on all sides are left out" not in whole
