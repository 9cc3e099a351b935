"""What one process of Kiosk is for."""

from enum import StrEnum


class Role(StrEnum):
    """Named like the commands. Any number of each may share one database, on any machine."""

    RUN = "run"  # everything
    WEB = "web"  # whatever comes in: updates of customers, callbacks of the provider
    WORKER = "worker"  # whatever goes out: the jobs, and what is done again and again

    @property
    def takes_in(self) -> bool:
        return self is not Role.WORKER

    @property
    def works(self) -> bool:
        return self is not Role.WEB
