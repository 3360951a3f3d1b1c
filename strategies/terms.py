"""What a service's owner demands before a release of it may begin."""

from dataclasses import dataclass
from decimal import Decimal

from strategies.plan import Approve


@dataclass(frozen=True, slots=True)
class Need:
    """Another service that must serve `at_least` this version, or a later one, to everybody."""

    service: str
    at_least: str

    def __str__(self) -> str:
        """`payments >= v3`."""
        return f"{self.service} >= {self.at_least}"


@dataclass(frozen=True, slots=True)
class Terms:
    """The part of a profile that guards ask about.

    `first_step_at_most` is a percent; `irreversible` says that the candidate changes data in a way that the baseline
    does not understand; `staging` is the address that knows what was completed in staging. `approve` says where the
    owner wants people asked at least, None where they said nothing of it.
    """

    stateful: bool = False
    mixed_versions: bool = True
    irreversible: bool = False
    first_step_at_most: Decimal | None = None
    needs: tuple[Need, ...] = ()
    staging: str = ""
    approve: Approve | None = None
