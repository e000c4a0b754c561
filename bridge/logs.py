"""Structured logs on stderr: one line per message, as text for people or as JSON for machines.

Our own lines and those of libraries go through the same pipeline; every line about an object carries it as
`object`.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal, TypeAlias

import structlog

LogFormat: TypeAlias = Literal["text", "json"]


def configure(log_format: LogFormat, *, debug: bool = False) -> None:
    """Set up logging for the whole process; `debug` also shows what is of no interest mostly."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if log_format == "json":
        # Without local variables: objects hold environment variables, and those hold secrets.
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        shared.append(structlog.processors.ExceptionRenderer(tracebacks))
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(sort_keys=True)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for ours in ("bridge", "translators"):
        logging.getLogger(ours).setLevel(logging.DEBUG if debug else logging.INFO)
    for chatty in ("botocore", "urllib3", "asyncio", "kubernetes"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
