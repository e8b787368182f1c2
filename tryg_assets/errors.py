"""Every error this project raises on purpose.

::

    TrygError                     the message says what is wrong, where, and what to do
    ├── ConfigurationError        a setting, TRYG_HOME, a port
    ├── DataFileError             a file under data/ or given by the user (names file and row)
    ├── ContractError             a table does not honour its contract
    ├── CorpusMismatch            TRYG_HOME belongs to another list of sites
    ├── ArchiveError              what was read cannot be kept
    ├── SiteUnreachable           a municipality's website gave nothing to read
    ├── OutsideTheNight           not the hour to read real websites
    ├── NotPublishable            the agreement gate or the coverage gate is closed
    ├── UnknownPrice              a model without a price in data/prices.yml
    ├── BudgetReached             a request would pass the cap of the run or of the month
    ├── StateNotWritten           the state database cannot be written (a full disk)
    ├── ServerUnavailable         the server of a model does not answer, or answers with errors only
    └── AnswersPending            answers are in a batch that has not ended
"""

from __future__ import annotations

from pathlib import Path


class TrygError(Exception):
    """Base of all errors with a message meant for a person."""


class ConfigurationError(TrygError):
    """A setting is unknown, impossible or cannot be used on this machine."""


class DataFileError(TrygError):
    """A file of facts is wrong. The message names the file, the row or entry, and the remedy."""

    def __init__(self, path: Path | str, where: str, problem: str, remedy: str) -> None:
        self.path, self.where, self.problem, self.remedy = str(path), where, problem, remedy
        super().__init__(f"{path}, {where}: {problem}. {remedy}")


class ContractError(TrygError):
    """A table to be written does not honour its contract."""


class CorpusMismatch(TrygError):
    """TRYG_HOME holds another corpus; two corpora are never mixed in one number."""


class ArchiveError(TrygError):
    """The archive of what was read cannot be written, or another crawl is writing it."""


class SiteUnreachable(TrygError):
    """A website answered nothing that can be read."""


class OutsideTheNight(TrygError):
    """Real websites are read at night only, and it is day."""


class NotPublishable(TrygError):
    """A gate before publication is closed."""


class UnknownPrice(TrygError):
    """A model has no price; what it would cost cannot be said, so nothing is asked."""


class BudgetReached(TrygError):
    """A request would pass a cap. It was not sent; everything already paid for is kept."""


class StateNotWritten(TrygError):
    """The state database cannot be written; what it holds is safe."""


class ServerUnavailable(TrygError):
    """The server of a model does not answer, or answers with errors only; all answers so far are kept."""


class AnswersPending(TrygError):
    """Answers are in a batch that has not ended; the run is to be started again when it has."""
