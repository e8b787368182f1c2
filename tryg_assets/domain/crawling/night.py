"""The hours in which real websites are read: when their citizens sleep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tryg_assets.errors import ConfigurationError, OutsideTheNight

DENMARK = ZoneInfo("Europe/Copenhagen")


@dataclass(frozen=True, slots=True)
class Night:
    """From the full hour ``opens`` to the full hour ``closes``, Danish local time; over midnight if ``closes`` is less."""

    opens: int
    closes: int

    @classmethod
    def parse(cls, text: str) -> Night:
        """Read ``22-06``; ``0-24`` is the whole day.

        Raises:
            ConfigurationError: it is no such range.
        """
        match = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text.strip())
        opens, closes = map(int, match.groups()) if match else (0, 0)
        if opens == closes or opens > 23 or closes > 24:
            raise ConfigurationError(
                f"TRYG_NIGHT={text!r} is no range of hours. Write it as 22-06 (from 22:00 to 06:00), or 0-24 for any time."
            )
        return cls(opens, closes)

    def is_open(self, moment: datetime) -> bool:
        """Whether ``moment`` (with a time zone) is within the hours."""
        hour = moment.astimezone(DENMARK).hour
        if self.opens < self.closes:
            return self.opens <= hour < self.closes
        return hour >= self.opens or hour < self.closes

    def require(self, moment: datetime, who: str) -> None:
        """Refuse to go on by day; ``who`` is the website that would be asked.

        Raises:
            OutsideTheNight: ``moment`` is outside the hours.
        """
        if not self.is_open(moment):
            raise OutsideTheNight(
                f"{who} was not asked: real websites are read within {self} only. Start it then (the schedule nightly_refresh "
                "does), or set TRYG_NIGHT=0-24 if the website's owner agrees. What was read before is kept."
            )

    def __str__(self) -> str:
        return f"{self.opens:02d}:00-{self.closes:02d}:00 Danish time"
