"""Uploaded files: reserved, filled, completed, and ready a moment later."""

import mimetypes
from dataclasses import dataclass, field

from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.wire import Json, new_id


@dataclass(slots=True, kw_only=True)
class File:
    """One file; it has no mimetype before `ready_at`, as Slack works on it meanwhile."""

    id: str
    name: str
    length: int
    ticket: str
    user: str
    alt_text: str | None = None
    title: str = ""
    content: bytes | None = None
    ready_at: float | None = None
    shares: list[tuple[str, str, str | None]] = field(default_factory=list)


class Files:
    """All files of the workspace."""

    def __init__(self, clock: Clock, ready_after: float) -> None:
        self._clock = clock
        self._ready_after = ready_after
        self._files: dict[str, File] = {}

    def reserve(self, *, name: str, length: int, user: str, alt_text: str | None) -> File:
        """A place to upload to."""
        file = File(id=new_id("F"), name=name, length=length, ticket=new_id(""), user=user, alt_text=alt_text)
        self._files[file.id] = file
        return file

    def fill(self, ticket: str, content: bytes) -> File | None:
        """Take the bytes for an upload ticket; None if nobody reserved it."""
        file = next((f for f in self._files.values() if f.ticket == ticket), None)
        if file is not None:
            file.content = content
        return file

    def complete(self, file: File, title: str | None) -> None:
        """Finish the upload; the file is ready after a while."""
        file.title = title or file.name
        file.ready_at = self._clock() + self._ready_after

    def find(self, file_id: str) -> File | None:
        """The file with this id."""
        return self._files.get(file_id)

    def is_ready(self, file: File) -> bool:
        """Whether Slack is done with it."""
        return file.ready_at is not None and self._clock() >= file.ready_at

    def is_usable(self, reference: Json) -> bool:
        """Whether a block may show it: `{"id": ...}` or `{"url": ...}` of a ready picture."""
        # Both of a file's addresses end in its id and its name.
        in_url = str(reference.get("url", "")).rpartition("/")[0].rpartition("/")[2]
        file = self.find(str(reference.get("id", in_url)))
        return file is not None and self.is_ready(file) and _mimetype(file).startswith("image/")

    def document(self, file: File, base: str) -> Json:
        """The file as files.info shows it."""
        ready = self.is_ready(file)
        public: Json = {}
        for channel, ts, thread_ts in file.shares:
            public.setdefault(channel, []).append({"ts": ts, **({"thread_ts": thread_ts} if thread_ts else {})})
        return {
            "id": file.id,
            "created": int(self._clock()),
            "name": file.name,
            "title": file.title,
            "user": file.user,
            "mimetype": _mimetype(file) if ready else "",
            "filetype": file.name.rpartition(".")[2] if ready else "",
            "size": file.length,
            "mode": "hosted",
            "url_private": f"{base}/files-pri/{file.id}/{file.name}",
            "permalink": f"{base}/files/{file.user}/{file.id}/{file.name}",
            "shares": {"public": public} if public else {},
            **({"alt_txt": file.alt_text} if file.alt_text else {}),
        }


def _mimetype(file: File) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"
