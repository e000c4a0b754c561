"""What translating may have to say, each with its code. The codes are stable: people search for them.

    BR101  warning  a field that the old CRD does not know
    BR102  warning  a field that ACK has no place for; the bridge, or a person, must see to it
    BR103  info     a field without effect, in the old operator already
    BR104  error    a required field is missing
    BR105  error    a value that the old CRD does not allow
    BR106  error    a number that ACK can't send to AWS
    BR107  info     said twice; of two values under one name the last one counts, as before
    BR108  info     names that could not be taken from the object's uid
    BR109  info     labels and annotations stay with the old object
    BR110  error    a rule of the old operator's that its CRD does not state
    BR111  info     it made the old operator crash, and works now
    BR112  warning  a name that AWS will refuse
    BR113  info     no namespace is stated
    BR114  error    a document that can't be read
    BR116  warning  a variant of a deployment whose model is not among the deployment's own
    BR115  info     a comment whose field has no counterpart
    BR117  warning  a key that is there twice; the last one counts
    BR118  warning  a document of another kind that can't be read, and is passed on as it is

A warning makes `translate` end with exit status 2, an error with 3.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any

from translators.model import Notice, Severity

NO_UID = "BR108"

_AWS_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_INT32 = (-(2**31), 2**31 - 1)


def unknown_field(path: str, name: str, known: Iterable[str]) -> Notice:
    """A field that is no part of the old CRD; the old operator ignored it, and so does the bridge.

    A name that differs from a known one in case only is not taken for it: that would change what a
    manifest does (`spec/mapping/SUMMARY.md` 6: the old operator's decoder was case-sensitive).
    """
    names = sorted(known)
    close = [other for other in names if other.lower() == name.lower()]
    close = close or difflib.get_close_matches(name, names, n=1, cutoff=0.75)
    fix = f"Did you mean {close[0]}? Else remove it." if close else "Remove it."
    return Notice("BR101", Severity.WARNING, path, f"unknown field {name}, ignored as before", fix)


def side_channel(path: str, reason: str) -> Notice:
    """A field that no ACK field expresses."""
    return Notice("BR102", Severity.WARNING, path, reason)


def no_counterpart(path: str, reason: str) -> Notice:
    """A field that can be left out without a difference."""
    return Notice("BR103", Severity.INFO, path, reason)


def missing(path: str) -> Notice:
    """A required field that isn't there."""
    return Notice("BR104", Severity.ERROR, path, "required, but not set", "Set it.")


def not_allowed(path: str, message: str) -> Notice:
    """A value of the wrong type, or outside what the old CRD allows."""
    return Notice("BR105", Severity.ERROR, path, message)


def beyond_32_bits(path: str, value: Any) -> Notice:
    """ACK refuses integers that don't fit 32 bits, each time that it reconciles."""
    low, high = _INT32
    return Notice(
        "BR106", Severity.ERROR, path, f"{value} is not between {low} and {high}", "Use a smaller one."
    )


def fits_32_bits(value: int) -> bool:
    """Whether ACK can send it."""
    return _INT32[0] <= value <= _INT32[1]


def said_twice(path: str, names: Sequence[str]) -> Notice:
    """A name-value list with two entries of one name."""
    return Notice(
        "BR107", Severity.INFO, path, f"named more than once, the last one counts: {', '.join(names)}"
    )


def listed_twice(path: str, what: str) -> Notice:
    """An item of a list that needs no second."""
    return Notice("BR107", Severity.INFO, path, f"{what} is listed before; once is enough")


def no_uid(path: str, name: str) -> Notice:
    """A name that had to do without the object's uid."""
    message = f"AWS will know it as {name}: the old operator named it after a uid that no file holds"
    return Notice(NO_UID, Severity.INFO, path, message)


def stays_behind(path: str, keys: Sequence[str]) -> Notice:
    """Labels or annotations that are not copied: tools would take the ACK object for their own."""
    return Notice("BR109", Severity.INFO, path, f"not copied to the ACK object: {', '.join(keys)}")


def old_rule(path: str, message: str, fix: str = "") -> Notice:
    """What the old operator's controller refused, beyond its CRD."""
    return Notice("BR110", Severity.ERROR, path, message, fix)


def mended(path: str, message: str) -> Notice:
    """What the old operator could not do and the bridge does."""
    return Notice("BR111", Severity.INFO, path, message)


def refused_names(path: str, name: str, limit: int) -> list[Notice]:
    """What is wrong with a name for AWS: it may hold letters, digits and `-`; Kubernetes' also dots."""
    wrong = []
    if not _AWS_NAME.fullmatch(name):
        wrong.append("it may hold only letters, digits and hyphens")
    if len(name) > limit:
        wrong.append(f"it has {len(name)} characters, and may have {limit}")
    message = f"AWS will refuse the name {name}: "
    return [
        Notice("BR112", Severity.WARNING, path, message + reason, "Name it in the spec.") for reason in wrong
    ]


def no_namespace(namespace: str) -> Notice:
    """The ACK object's mark needs the namespace that the old object is in."""
    message = f"no namespace is stated, {namespace} is assumed in the mark of the ACK objects"
    return Notice("BR113", Severity.INFO, "metadata.namespace", message)


def unreadable(message: str) -> Notice:
    """A document that is not valid YAML, or too large, or dangerous."""
    return Notice("BR114", Severity.ERROR, "", message)


def repeated_key(key: str, line: int | None) -> Notice:
    """A key that its map has twice: kubectl took the last one, and never said so."""
    where = f"line {line}: " if line is not None else ""
    message = f"{where}the key {key} is there again; the last one counts, as ever"
    return Notice("BR117", Severity.WARNING, "", message, "Remove the others.")


def passed_unread(message: str) -> Notice:
    """A document that is none of ours: what is odd about it is for others to mind."""
    return Notice("BR118", Severity.WARNING, "", f"passed on as it is, but not understood: {message}")


def comment_lost(path: str) -> Notice:
    """A comment that has nothing to stand at."""
    return Notice("BR115", Severity.INFO, path, "the comment here is left out with its field")


def comment_at_nothing(line: int) -> Notice:
    """A comment inside of what is written another way in the result."""
    return Notice("BR115", Severity.INFO, "", f"line {line}: a comment at no field is left out")


def unknown_model(path: str, name: str, known: Sequence[str]) -> Notice:
    """A variant that names no `models[]` entry: the old operator waited for it for ever."""
    message = (
        f"'{name}' names no model of this deployment. Known: {', '.join(known) or 'none'}. "
        "It is passed on as the name of a model in SageMaker; in a cluster the deployment waits for it"
    )
    return Notice("BR116", Severity.WARNING, path, message, "Name one of its models.")
