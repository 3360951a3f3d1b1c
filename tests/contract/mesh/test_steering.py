"""What the editor writes steers real requests through Envoy as the split says."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bot.mesh.virtual_service import edit
from strategies.reasons import Refused
from strategies.routing import HUNDRED, Match, Mirror, Split, Sticky
from tests.contract.envoy.bench import Bench, bench, run
from tests.mesh_documents import a_destination, a_virtual_service
from tests.unit.mesh.orders import an_order, back

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from tests.mesh_documents import Document

NOBODY = Split.between("v1", "v2", Decimal(0))
BETA = Match("header:x-beta", "v2", exact="1")
MATCHES = (
    BETA,
    Match("cookie:group", "v2", exact="a.b"),
    Match("cookie:team", "v2", prefix="be"),
    Match("cookie:kind", "v2", regex="x|y"),
    Match("query:beta", "v2", exact="1"),
    Match("method", "v2", exact="PUT"),
    Match("uri", "v2", exact="/new"),
    Match("uri", "v2", regex="/n[0-9]+/.*"),
    Match("authority", "v2", prefix="reviews.shop"),
)


def http(split: Split | None, **main: object) -> list[Document]:
    """The http routes of the shop's VirtualService after the split, or after its rollback."""
    document = a_virtual_service({"name": "main", "route": [a_destination()], **main})
    order = an_order(document, split or replace(NOBODY, matches=MATCHES))
    written = edit(document, [order])
    assert not isinstance(written, Refused)
    undone = edit(written, [back(order)]) if split is None else written
    assert not isinstance(undone, Refused)
    found: list[Document] = undone["spec"]["http"]
    return found


def test_matched_requests_get_the_candidate_and_nobody_else_does(tmp_path: Path) -> None:
    async def story(one: Bench) -> None:
        await one.route(*http(replace(NOBODY, matches=MATCHES)))
        taken = [
            await one.ask(x_beta="1"),
            await one.ask(cookie="user=7; group=a.b; z=1"),
            await one.ask(cookie="team=beta"),
            await one.ask(cookie="kind=y"),
            await one.ask("/?beta=1"),
            await one.ask(method="PUT"),
            await one.ask("/new"),
            await one.ask("/n12/a"),
            await one.ask(host="reviews.shop:9080"),
        ]
        left = [
            await one.ask(),
            await one.ask(x_beta="2"),
            await one.ask(cookie="group=axb"),
            await one.ask(cookie="mygroup=a.b"),
            await one.ask(cookie="kind=xy"),
            await one.ask("/?beta=2"),
            await one.ask("/new/er"),
            await one.ask("/n12"),
            await one.ask(host="reviews:9080"),
        ]
        assert [each.version for each in taken] == ["v2"] * len(taken)
        assert [each.version for each in left] == ["v1"] * len(left)

    told(story, tmp_path)


@pytest.mark.parametrize(("caller", "version"), [("shoppers", "v2"), ("robots", "v1")])
def test_callers_are_told_apart_by_the_labels_of_their_pods(tmp_path: Path, caller: str, version: str) -> None:
    async def story(one: Bench) -> None:
        await one.route(*http(replace(NOBODY, matches=(Match("source_label:app", "v2", exact=caller),))))
        assert await one.ask_many(20) == {version: 20}

    told(story, tmp_path)


def test_half_a_percent_is_half_a_percent(tmp_path: Path) -> None:
    async def story(one: Bench) -> None:
        await one.route(*http(Split.between("v1", "v2", Decimal("0.5"))))
        counts = await one.ask_many(3000)
        # 15 are expected; outside of 1 to 45 once in three million runs by chance.
        assert 1 <= counts.pop("v2") <= 45
        assert counts.keys() == {"v1"}

    told(story, tmp_path)


def test_an_inserted_route_is_never_wider_than_the_targeted_one(tmp_path: Path) -> None:
    async def story(one: Bench) -> None:
        split = replace(NOBODY, matches=(BETA, Match("uri", "v2", prefix="/api/beta")))
        await one.route(*http(split, match=[{"uri": {"prefix": "/api"}}], rewrite={"uri": "/new"}))
        assert [(await one.ask(path, x_beta="1")).status for path in ("/api/1", "/other")] == [200, 404]
        answer = await one.ask("/api/1", x_beta="1")
        assert (answer.version, answer.path) == ("v2", "/new/1")
        assert [(await one.ask(path)).version for path in ("/api/beta", "/api")] == ["v2", "v1"]

    told(story, tmp_path)


def test_a_share_inside_the_match_is_a_share_of_the_matched_requests_alone(tmp_path: Path) -> None:
    async def story(one: Bench) -> None:
        await one.route(*http(replace(NOBODY, matches=(replace(BETA, share=Decimal(20)),))))
        versions = [(await one.ask(x_beta="1")).version for _ in range(500)]
        # Five and a half standard deviations: once in fourteen million runs by chance.
        assert abs(versions.count("v2") - 100) < 50
        assert await one.ask_many(100) == {"v1": 100}

    told(story, tmp_path)


def test_a_mirror_copies_its_percent_and_answers_nobody(tmp_path: Path) -> None:
    async def story(one: Bench) -> None:
        await one.route(*http(replace(NOBODY, mirror=Mirror("v2", Decimal(25)))))
        assert await one.ask_many(1000) == {"v1": 1000}
        # Five and a half standard deviations, as above.
        assert abs(await one.copied("v2") - 250) < 75

    told(story, tmp_path)


def test_people_with_a_cookie_never_go_back_while_shares_grow_and_are_free_after_a_rollback(tmp_path: Path) -> None:
    people: list[dict[str, str]] = [{} for _ in range(300)]

    async def visited(one: Bench) -> list[str]:
        """Each person's version in two visits; who changes between both is `flipped`."""
        seen = [await asyncio.gather(*(visit(one, person) for person in people)) for _ in range(2)]
        return [first if first == again else "flipped" for first, again in zip(*seen, strict=True)]

    async def story(one: Bench) -> None:
        document, before = a_virtual_service(), ["v1"] * len(people)
        for n, (share, earlier) in enumerate([(20, 0), (50, 20), (80, 50)]):
            split = replace(
                Split.between("v1", "v2", Decimal(share)), sticky=Sticky.between(n, Decimal(earlier), Decimal(share))
            )
            document = written(document, split)
            await one.route(*document["spec"]["http"])
            now = await visited(one)
            assert "flipped" not in now
            assert not [each for each in zip(before, now, strict=True) if each == ("v2", "v1")]
            # Five standard deviations of 300 people: 45 of them.
            assert abs(now.count("v2") - share * 3) < 45
            before = now
        undone = edit(document, [back(an_order(a_virtual_service(), split))])
        assert undone == a_virtual_service()
        await one.route(*undone["spec"]["http"])
        assert await visited(one) == ["v1"] * len(people)

    told(story, tmp_path)


async def visit(one: Bench, jar: dict[str, str]) -> str:
    """One request of somebody whose browser keeps cookies."""
    cookies = "; ".join(["user=7", *(f"{name}={value}" for name, value in jar.items())])
    answer = await one.ask(cookie=cookies)
    name, sign, value = answer.headers.get("set-cookie", "").partition(";")[0].partition("=")
    jar.update({name: value} if sign else {})
    return answer.version


def written(document: Document, split: Split) -> Document:
    """The next split on what the one before left."""
    found = edit(document, [an_order(a_virtual_service(), split)])
    assert not isinstance(found, Refused)
    return found


@pytest.mark.parametrize(("split", "version"), [(None, "v1"), (Split.between("v1", "v2", HUNDRED), "v2")])
def test_after_a_rollback_or_a_promotion_everybody_gets_one_version(
    tmp_path: Path, split: Split | None, version: str
) -> None:
    async def story(one: Bench) -> None:
        await one.route(*http(replace(NOBODY, matches=MATCHES)))
        await one.route(*http(split))
        assert await one.ask_many(100) == {version: 100}
        assert [(await one.ask(x_beta="1")).version, (await one.ask("/?beta=1")).version] == [version] * 2

    told(story, tmp_path)


def told(story: Callable[[Bench], Coroutine[None, None, None]], folder: Path) -> None:
    async def whole() -> None:
        async with bench("envoy", folder) as one:
            await story(one)

    run(whole())
