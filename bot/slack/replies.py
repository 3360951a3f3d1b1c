"""Private answers that cannot ride on an acknowledgement; sent behind it, never before it."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from slack_sdk import WebClient

from bot.errors import SluiceError
from bot.slack.blocks import Message
from bot.slack.web import called, send

log = logging.getLogger(__name__)
WORKERS = 4


@dataclass(frozen=True, slots=True)
class Address:
    """Where one person reads a private answer; `replaces` an earlier private answer that was clicked."""

    user: str
    channel: str
    thread_ts: str = ""
    response_url: str = ""
    replaces: bool = False


class Replies:
    """Sends private answers from threads of its own, so that a slow Slack never delays an acknowledgement.

    `sorry` is what a person gets in place of an answer that could not be found out.
    """

    def __init__(self, web: WebClient, sorry: Message) -> None:
        self._web, self._sorry = web, sorry
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="slack-replies")
        # What has to be found out first may take seconds, and keeps nobody else's answer waiting.
        self._slow = ThreadPoolExecutor(WORKERS, thread_name_prefix="slack-questions")

    def send(self, address: Address, message: Message | Callable[[], Message]) -> None:
        """Show `message`, or what it finds out, to one person, soon; a failure is logged, a card tells it later."""
        try:
            self._submit(address, message)
        except RuntimeError as error:
            # Slack's door waits for its listeners only for a while.
            log.warning("a private answer to %s was lost: %s", address.user, error)

    def _submit(self, address: Address, message: Message | Callable[[], Message]) -> None:
        if isinstance(message, Message):
            self._pool.submit(self._send, address, message).add_done_callback(_unforeseen)
            return
        asked = self._slow.submit(self._send, address, message)
        asked.add_done_callback(lambda done: self.send(address, self._sorry) if _unforeseen(done) else None)

    def stop(self) -> None:
        """Let go of the threads; what was not begun is dropped."""
        for pool in (self._pool, self._slow):
            pool.shutdown(wait=False, cancel_futures=True)

    def _send(self, address: Address, answer: Message | Callable[[], Message]) -> None:
        try:
            message = answer if isinstance(answer, Message) else answer()
            if address.response_url:
                send(address.response_url, self._body(address, message))
                return
            called(
                self._web.chat_postEphemeral,
                channel=address.channel,
                user=address.user,
                thread_ts=address.thread_ts or None,
                **message.payload(),
            )
        except SluiceError as error:
            log.warning("a private answer to %s was lost: %s", address.user, error)

    @staticmethod
    def _body(address: Address, message: Message) -> dict[str, object]:
        body = message.payload() | {"response_type": "ephemeral", "replace_original": address.replaces}
        return body | ({"thread_ts": address.thread_ts} if address.thread_ts else {})


def _unforeseen(done: Future[None]) -> bool:
    """True when the answer failed for a reason that nobody foresaw, which is logged."""
    error = None if done.cancelled() else done.exception()
    if error is not None:
        log.error("a private answer failed", exc_info=error)
    return error is not None
