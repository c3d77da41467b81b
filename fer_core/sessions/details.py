"""What a researcher says of a session: study, participant, condition, name, notes and tags."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fer_core.errors import SessionError

_LONGEST = 200


@dataclass(frozen=True)
class Details:
    """What a session is part of, and what is known of it beside its scores; all of it may be empty.

    Attributes:
        study: a name, the same for all sessions that belong together.
        participant: a code that stands for a person; never a name.
        condition: what the person was shown or asked to do.
        title: a name of the session.
        notes: any text.
        tags: words to find it by.

    Raises:
        SessionError: a text is too long.
    """

    study: str = ""
    participant: str = ""
    condition: str = ""
    title: str = ""
    notes: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("study", "participant", "condition", "title"):
            if len(text := getattr(self, name)) > _LONGEST:
                raise SessionError(f"The {name} may have {_LONGEST} characters, got {len(text)}. Shorten it.")

    def columns(self) -> dict[str, Any]:
        """Return it as columns of the table of sessions, without space around texts."""
        texts = {name: value.strip() for name, value in asdict(self).items() if isinstance(value, str)}
        return {**texts, "tags": list(dict.fromkeys(tag.strip() for tag in self.tags if tag.strip()))}
