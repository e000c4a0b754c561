"""CloudWatch Logs: reading events, streams and groups."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from tests.stack.aws.errors import ServiceError
from tests.stack.aws.logstore import LogEvent, LogStream
from tests.stack.aws.world import Context, Handler, Json

_EVENTS = 10_000
_STREAMS = 50


def filter_events(context: Context, request: Json) -> Json:
    """Events of many streams by time; start and end (epoch milliseconds) are both included."""
    streams = _group(context, request)
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
    if names and prefix:
        raise ServiceError(
            "InvalidParameterException",
            "Cannot specify both logStreamNames and logStreamNamePrefix parameters.",
        )
    chosen = [streams[name] for name in names if name in streams] if names else list(streams.values())
    terms = _terms(request.get("filterPattern", ""))
    start, end = request.get("startTime", 0), request.get("endTime")
    found = sorted(
        event
        for stream in chosen
        if stream.name.startswith(prefix)
        for event in stream.events
        if event.timestamp >= start and (end is None or event.timestamp <= end)
        if _contains(event.message, terms)
    )
    after = request.get("nextToken", "")
    position = next((i for i, e in enumerate(found) if e.event_id > after), len(found)) if after else 0
    limit = request.get("limit", _EVENTS)
    page = found[position : position + limit]
    answer: Json = {"events": [_filtered(event) for event in page], "searchedLogStreams": []}
    if position + limit < len(found):
        answer["nextToken"] = page[-1].event_id
    return answer


def get_events(context: Context, request: Json) -> Json:
    """Events of one stream, with tokens in both directions; the end is not included."""
    stream = _group(context, request).get(request["logStreamName"])
    if stream is None:
        raise ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")
    start, end = request.get("startTime", 0), request.get("endTime")
    events = [e for e in stream.events if e.timestamp >= start and (end is None or e.timestamp < end)]
    low, high = _window(request, len(events))
    return {
        "events": [_event(event) for event in events[low:high]],
        "nextForwardToken": f"f/{high}",
        "nextBackwardToken": f"b/{low}",
    }


def describe_streams(context: Context, request: Json) -> Json:
    """Streams of a group, by name or by their last event."""
    streams = _group(context, request)
    prefix, by = request.get("logStreamNamePrefix", ""), request.get("orderBy", "LogStreamName")
    if by == "LastEventTime" and prefix:
        raise ServiceError(
            "InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."
        )
    chosen = [stream for stream in streams.values() if stream.name.startswith(prefix)]
    chosen.sort(
        key=lambda s: (_last(s) if by == "LastEventTime" else 0, s.name),
        reverse=request.get("descending", False),
    )
    position, limit = _offset(request), request.get("limit", _STREAMS)
    answer: Json = {"logStreams": [_stream(s) for s in chosen[position : position + limit]]}
    if position + limit < len(chosen):
        answer["nextToken"] = str(position + limit)
    return answer


def describe_groups(context: Context, request: Json) -> Json:
    """Groups by name."""
    prefix = request.get("logGroupNamePrefix", "")
    names = [name for name in context.state.logs.groups(context.region) if name.startswith(prefix)]
    position, limit = _offset(request), request.get("limit", _STREAMS)
    arn = f"arn:aws:logs:{context.region}:{context.world.account}:log-group"
    answer: Json = {
        "logGroups": [
            {"logGroupName": name, "arn": f"{arn}:{name}:*", "logGroupArn": f"{arn}:{name}"}
            for name in names[position : position + limit]
        ]
    }
    if position + limit < len(names):
        answer["nextToken"] = str(position + limit)
    return answer


def _group(context: Context, request: Json) -> dict[str, LogStream]:
    name = request.get("logGroupName") or request.get("logGroupIdentifier", "").rpartition(":")[2]
    streams = context.state.logs.streams(context.region, name)
    if streams is None:
        raise ServiceError("ResourceNotFoundException", "The specified log group does not exist.")
    return streams


def _window(request: Json, count: int) -> tuple[int, int]:
    limit, token = request.get("limit", _EVENTS), request.get("nextToken", "")
    if token:
        direction, _, digits = token.partition("/")
        if direction not in ("f", "b") or not digits.isdigit():
            raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
        at = min(int(digits), count)
        return (at, min(at + limit, count)) if direction == "f" else (max(0, at - limit), at)
    if request.get("startFromHead"):
        return 0, min(limit, count)
    return max(0, count - limit), count


def _offset(request: Json) -> int:
    token = request.get("nextToken", "0")
    if not token.isdigit():
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(token)


def _terms(pattern: str) -> list[str]:
    """Words and quoted phrases, all of which must be there; `-word` must not. No other patterns."""
    if pattern.strip().startswith(("{", "[", "%")):
        raise ServiceError("InvalidParameterException", "the double plays no JSON, space or regex patterns")
    try:
        return shlex.split(pattern)
    except ValueError:
        raise ServiceError("InvalidParameterException", "Invalid filter pattern") from None


def _contains(message: str, terms: Iterable[str]) -> bool:
    return all(
        (term[1:] not in message) if term.startswith("-") and len(term) > 1 else term in message
        for term in terms
    )


def _event(event: LogEvent) -> Json:
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested}


def _filtered(event: LogEvent) -> Json:
    return {**_event(event), "logStreamName": event.stream, "eventId": event.event_id}


def _last(stream: LogStream) -> int:
    return stream.events[-1].timestamp if stream.events else 0


def _stream(stream: LogStream) -> Json:
    described: Json = {"logStreamName": stream.name, "creationTime": stream.created, "storedBytes": 0}
    if stream.events:
        described["firstEventTimestamp"] = stream.events[0].timestamp
        described["lastEventTimestamp"] = _last(stream)
        described["lastIngestionTime"] = max(event.ingested for event in stream.events)
    return described


OPERATIONS: dict[str, Handler] = {
    "FilterLogEvents": filter_events,
    "GetLogEvents": get_events,
    "DescribeLogStreams": describe_streams,
    "DescribeLogGroups": describe_groups,
}
