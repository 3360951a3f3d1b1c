"""How wide letters are, so that no line of the picture runs into what stands beside it."""

from functools import lru_cache

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from bot.metrics.curves import cut

FAMILY = "DejaVu Sans"
SHORTEST = 7  # letters that are left of a long name
SPARE = 1.02  # letters lean to their neighbours and have soft edges
_POINTS = 72.0


def inches(text: str, size: float, weight: str = "normal") -> float:
    """The width of a line in letters of so many points."""
    return sum(_width(letter, weight) for letter in text) * SPARE * size / _POINTS


def fitted(text: str, size: float, room: float, weight: str = "normal") -> str:
    """The text in at most `room` inches.

    Its longest words lose their middle, for those are names that tell themselves apart by their ends; where that is not
    enough, what follows a colon is left out, and the end is cut.
    """
    words = text.split(" ")
    while inches(" ".join(words), size, weight) > room:
        place = max(range(len(words)), key=lambda at: len(words[at]))
        if len(words[place]) <= SHORTEST:
            break
        words[place] = _without_middle(words[place], len(words[place]) - 1)
    shorter = " ".join(words)
    if inches(shorter, size, weight) > room:
        shorter = text.partition(": ")[0]
    while inches(shorter, size, weight) > room and len(shorter) > 1:
        shorter = cut(shorter, len(shorter) - 1)
    return shorter


def size_for(text: str, largest: float, least: float, room: float, weight: str = "normal") -> float:
    """The largest letters, in points, in which the text has room; `least` where it has none."""
    return max(min(largest, largest * room / max(inches(text, largest, weight), 1e-9)), least)


def _without_middle(word: str, longest: int) -> str:
    plain = word.replace("…", "")
    kept = longest - 1
    return f"{plain[: kept // 3]}…{plain[len(plain) - (kept - kept // 3) :]}"


@lru_cache(maxsize=2048)
def _width(letter: str, weight: str) -> float:
    """In units of the letters' size; letters that lean to each other are narrower together, never wider."""
    font = FontProperties(family=FAMILY, weight=weight, size=100)
    width, _, _ = text_to_path.get_text_width_height_descent(f"{letter}|", font, ismath=False)
    bar, _, _ = text_to_path.get_text_width_height_descent("|", font, ismath=False)
    return float(width - bar) / 100
