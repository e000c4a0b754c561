"""How far back the next listing must look so that no change is lost.

Our clock says nothing about AWS', so the only instants used are the `LastModifiedTime`s that AWS showed,
and the only thing asked of our clock is how long something took. A change may appear in a listing up to
`lag` seconds after its `LastModifiedTime` (listings are eventually consistent, and their pages are not
taken at one instant). So the newest time that a listing showed becomes the mark only when another
listing, begun at least `lag` later and with the older mark, has been read to its end: whatever was
modified up to that time was visible by then, and was in it.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

_SECOND = timedelta(seconds=1)


class Watermark:
    """The mark of one kind in one region. `lag` in seconds; `began`, `ended` of a monotonic clock."""

    def __init__(self, lag: float) -> None:
        self._lag = lag
        self._mark: datetime | None = None
        self._unconfirmed: deque[tuple[float, datetime]] = deque()
        self._quiet_since: float | None = None

    def anchor(self, newest: datetime | None) -> None:
        """Begin at a time that AWS showed before anything was described; never moves back.

        What changes after it was described is newer than that. None: AWS has nothing of the kind.
        """
        if newest is not None:
            self._raise(newest - timedelta(seconds=self._lag))
        self._unconfirmed.clear()
        self._quiet_since = None

    def after(self) -> datetime | None:
        """The whole second after which the next listing asks; None: from the beginning.

        A second earlier than the mark: AWS may compare whole seconds, and what was modified in the
        same instant must not part ways.
        """
        return (self._mark - _SECOND).replace(microsecond=0) if self._mark else None

    def listed(self, began: float, ended: float, newest: datetime | None, pages: int) -> None:
        """A listing with the present mark was read to its end; `newest` is the newest time in it.

        Where nothing is newer than the mark, but what is as new as it fills more than one page again
        and again, the mark moves past it: AWS' clock has moved on by as much as ours.
        """
        while self._unconfirmed and self._unconfirmed[0][0] + self._lag <= began:
            self._raise(self._unconfirmed.popleft()[1])
        if newest is None:
            return
        if self._mark is None or newest > self._mark:
            self._quiet_since = None
            if not self._unconfirmed or newest > self._unconfirmed[-1][1]:
                self._unconfirmed.append((ended, newest))
        elif self._quiet_since is None:
            self._quiet_since = began
        elif pages > 1 and began - self._quiet_since >= 2.0:
            self._raise(newest + 2 * _SECOND)

    def _raise(self, mark: datetime) -> None:
        self._mark = max(self._mark or mark, mark)
