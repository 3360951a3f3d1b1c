"""What became of something a person did."""

from dataclasses import asdict, dataclass, field

from bot.sandbox.slack.wire import Json


class DriverError(Exception):
    """A person cannot do this in Slack: the button is gone, the message is not theirs, and the like."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the person sees happen.

    `acknowledged` is whether the app answered in time, `seconds` how long that took, `error` what
    Slack tells the person otherwise. `confirm` is a dialog still to be confirmed: then nothing was
    delivered. `errors` are a modal's field errors, `ts` the message the person said.
    """

    acknowledged: bool = False
    seconds: float = 0.0
    error: str | None = None
    confirm: Json | None = None
    errors: dict[str, str] = field(default_factory=dict)
    ts: str | None = None

    def document(self) -> Json:
        """The outcome as JSON."""
        return asdict(self)
