"""Texts and values that nobody means: mutations of good ones, and pieces that break parsers."""

import random
from collections.abc import Mapping, Sequence

ODDITIES: Sequence[str] = (
    *("\x00", "\ud800", "\u202e", "\ufeff", "🟥", "ﬀ", "\u2028", "\x1b[0m", "\n", "\t", "\r\n", "\\", "'", '"', "`"),
    *("<!channel>", "<@U1>", "<http://x|y>", "&amp;", "<", ">", "|", "{", "}", "[", "]", "---", ": ", "#", "&a", "*a"),
    *("!!timestamp x", "!!int x", "!!python/object:os.system x", "2001-99-99", "0o9", "1:99", "~", "null", ".nan"),
    *("99999999999999999999", "-1", "0", "1e999", "9" * 4_400, "0.00000001", "NaN", "Infinity", "٣", "+1pp", "10m"),
    *("=", "==", ",", ",,", "5,25,abc", "at", "in 2h", "until", "25:61", "2026-02-30", "Europe/Nowhere", "../../etc"),
    *("[" * 3_000, "{a: " * 300, "(" * 200, "x" * 4_000, "a\nb", "%", "$(id)", "'; DROP TABLE releases; --"),
)


def garbled(good: str, dice: random.Random, pieces: Sequence[str] = ODDITIES) -> str:
    """`good` after a few accidents: pieces cut, doubled, swapped, replaced and thrown in."""
    text = good
    for _ in range(dice.randint(1, 4)):
        start = dice.randint(0, len(text))
        end = min(len(text), start + dice.randint(0, 12))
        piece = text[start:end]
        match dice.randrange(5):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:end] + piece + text[end:]
            case 2:
                text = text[:start] + dice.choice(pieces) + text[end:]
            case 3:
                text = text[:start] + piece[::-1] + text[end:]
            case _:
                text = (
                    text[:start] + chr(dice.choice((dice.randrange(1, 128), dice.randrange(1, 0x1_0000)))) + text[end:]
                )
    return text


def anything(dice: random.Random, depth: int = 0) -> object:
    """A value as JSON brings it."""
    match dice.randrange(8 if depth < 3 else 6):
        case 0:
            return None
        case 1:
            return dice.random() < 0.5
        case 2:
            return dice.choice((0, -1, 1, 2**63, 10**30, 7))
        case 3:
            return dice.choice((0.0, -0.5, 1e300))
        case 4 | 5:
            return dice.choice(ODDITIES)
        case 6:
            return [anything(dice, depth + 1) for _ in range(dice.randrange(4))]
        case _:
            return {dice.choice(("id", "r", "s", "v", "text", "x")): anything(dice, depth + 1) for _ in range(2)}


def damaged(good: Mapping[str, object], dice: random.Random) -> dict[str, object]:
    """A payload with parts lost, replaced or garbled, at any depth."""
    result = dict(good)
    for name in list(result):
        if dice.random() > 0.25:
            continue
        value = result[name]
        match dice.randrange(4):
            case 0:
                del result[name]
            case 1:
                result[name] = anything(dice)
            case _ if isinstance(value, dict):
                result[name] = damaged(value, dice)
            case _ if isinstance(value, str):
                result[name] = garbled(value, dice)
            case _ if isinstance(value, list) and value and isinstance(value[0], dict):
                result[name] = [damaged(value[0], dice)]
    return result
