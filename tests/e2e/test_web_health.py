"""Alive, ready and how things are, over real HTTP; and the shop's doors while its database is away and after."""

import asyncio
from typing import Any

import pytest
import structlog
from fastapi.routing import iter_route_contexts

from kiosk.db import Database, Limits
from kiosk.errors import BadSettings
from kiosk.migrate import migrate
from kiosk.postgres import EmbeddedPostgres
from kiosk.queue.jobs import Act, Job, enqueue
from kiosk.web import Front, create_app, serving
from kiosk.web.server import PortTaken
from tests.frontdoor import Counter, a_door, an_order, note
from tests.shopkeeping import BOT


async def test_health_of_an_open_shop(database: Database) -> None:
    """Whether it takes updates, how much work waits, which version runs, and how the pool is used; nothing else."""
    async with a_door(database) as door:
        async with database.transaction() as tx:
            await enqueue(tx, Job(Act.OBSERVE, 1), Job(Act.SUBMIT, 2))
        answer = await door.get("/health")
        figures = {"size": 1, "free": 1, "waiting": 0, "waits": 0, "timeouts": 0}
        bot = {"id": BOT, "username": "kiosk_bot", "accepted": True, "active": True, "hears": True, "leader": None}
        health = {
            "active": True,
            "queue_depth": 2,
            "version": "1.2.3",
            "connections": figures,
            "role": "run",
            "mode": "webhook",
            "bots": [bot],
        }
        assert (answer.status, answer.body) == (200, health)
        assert [type(answer.body[name]) for name in ("active", "queue_depth", "version")] == [bool, int, str]


async def test_health_of_a_shop_that_starts(database: Database) -> None:
    """The same things, as far as anything is known yet."""
    async with a_door(database, is_open=False) as door:
        answer = await door.get("/health")
        unknown = {
            "active": False,
            "queue_depth": None,
            "version": "1.2.3",
            "connections": None,
            "role": None,
            "mode": None,
            "bots": [],
        }
        assert (answer.status, answer.body) == (503, unknown)


async def test_ready_of_a_shop_that_starts(database: Database) -> None:
    """Not ready, and there is nothing to check yet; alive all the same."""
    async with a_door(database, is_open=False) as door:
        answer = await door.get("/ready")
        assert (answer.status, answer.body) == (503, {"ready": False, "checks": {}, "waits_for": None})
        assert ((await door.get("/live")).status, (await door.get("/live")).body) == (200, {"live": True})


@pytest.mark.parametrize("failing", ["database", "worker", "updates", None])
async def test_ready_names_the_failing_check(database: Database, failing: str | None) -> None:
    """Every check is told by name, and one that fails is enough for 503."""

    async def good() -> bool:
        return True

    async def bad() -> bool:
        return False

    names = ("database", "worker", "updates")
    checks = {name: bad if name == failing else good for name in names}
    async with a_door(database, checks=checks) as door:
        answer = await door.get("/ready")
        assert answer.status == (503 if failing else 200)
        assert answer.body == {
            "ready": failing is None,
            "checks": {name: name != failing for name in names},
            "waits_for": None,
        }


async def test_shop_survives_its_database(own_postgres: EmbeddedPostgres) -> None:
    """Without the database every door says when to come back and stays alive; once it is back, orders are woken."""
    dsn = own_postgres.start()
    await migrate(dsn)
    async with await Database.connect(dsn) as db:
        order = await an_order(db)

        async def needs_the_database(_body: bytes) -> bool:
            await db.ping()
            return True

        path = f"/callbacks/kie/{order.id}/{order.callback_token}"
        async with a_door(db, intake=Counter(deal=needs_the_database)) as door:
            assert (await door.get("/ready")).status == 200
            own_postgres.stop()
            refused = [
                await door.post(path, note()),
                await door.post("/callbacks/kie", note()),
                await door.telegram({}),
            ]
            assert [(answer.status, answer.headers.get("Retry-After")) for answer in refused] == [(503, "5")] * 3
            assert (await door.get("/live")).status == 200
            ready, health = await door.get("/ready"), await door.get("/health")
            assert (ready.status, ready.body["checks"]) == (503, {"database": False})
            assert (health.status, health.body["queue_depth"]) == (503, None)

            own_postgres.start()
            assert (await door.get("/ready")).status == 200
            assert (await door.post(path, note())).status == 200
            assert (await door.telegram({})).status == 200
            assert await door.jobs() == [("observe", order.id)]


async def test_exhausted_pool_is_bounded_and_seen(dsn: str) -> None:
    """Every connection is held by somebody: 503 in time, a line in the log, figures in /health; then all is well."""

    async def needs_the_database(_body: bytes) -> bool:
        await db.ping()
        return True

    with structlog.testing.capture_logs() as lines:
        async with (
            await Database.connect(dsn, max_size=2, limits=Limits(acquire_s=0.2)) as db,
            a_door(db, intake=Counter(deal=needs_the_database)) as door,
        ):
            async with db.reading(), db.transaction():
                refused = await asyncio.gather(*(door.telegram({}) for _ in range(5)))
                assert [(answer.status, answer.headers.get("Retry-After")) for answer in refused] == [(503, "5")] * 5
                health = await door.get("/health")
                assert (health.status, health.body["queue_depth"]) == (503, None)
                figures = {"size": 2, "free": 0, "waiting": 0, "waits": 6, "timeouts": 6}
                assert health.body["connections"] == figures
                assert (await door.get("/ready")).body["checks"] == {"database": False}
            assert (await door.telegram({})).status == 200
            health = await door.get("/health")
            assert health.status == 200
            assert health.body["connections"] == {**figures, "free": 2, "waits": 7, "timeouts": 7}
    said = [line for line in lines if line["event"] == "db.pool_exhausted"]
    assert [(line["log_level"], line["size"]) for line in said] == [("warning", 2)]


async def test_fifty_at_once_share_a_small_pool(dsn: str) -> None:
    """Whoever comes while all connections are in use waits for one: nobody is refused, and all is seen."""
    async with await Database.connect(dsn, max_size=2) as db, a_door(db) as door:
        order = await an_order(db)
        path = f"/callbacks/kie/{order.id}/{order.callback_token}"
        answers = await asyncio.gather(*(door.post(path, note()) for _ in range(50)))
        assert [answer.status for answer in answers] == [200] * 50
        figures = db.figures()
        assert (figures.size, figures.free, figures.waiting, figures.timeouts) == (2, 2, 0, 0)
        assert figures.waits > 0


ROUTES = {
    "/live": {"GET", "HEAD"},
    "/ready": {"GET", "HEAD"},
    "/health": {"GET", "HEAD"},
    "/metrics": {"GET"},
    "/openapi.json": {"GET", "HEAD"},
    "/telegram/{bot}": {"POST"},
    "/callbacks/kie/{generation}/{token}": {"POST"},
    "/callbacks/kie": {"POST"},
}


def test_route_table() -> None:
    """Every path with its methods, each of them once; a route that is missing or doubled is seen here."""
    routes = iter_route_contexts(create_app(Front("test")).routes)
    found = [(route.path, method) for route in routes for method in route.methods or ()]
    assert sorted(found) == sorted((path, method) for path, methods in ROUTES.items() for method in methods)


@pytest.mark.parametrize("path", ["/live", "/ready", "/health"])
async def test_head_is_answered_like_get(database: Database, path: str) -> None:
    """Monitors that ask with HEAD learn the same, without the body."""
    async with a_door(database) as door:
        head, get = await door.ask("HEAD", path), await door.get(path)
        assert (head.status, head.body) == (get.status, "")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/docs", 404),
        ("GET", "/callbacks/kie", 405),
        ("PUT", "/health", 405),
        ("POST", "/callbacks/kie/1", 404),
        ("POST", "/callbacks/kie/1/token/more", 404),
    ],
)
async def test_nothing_else_is_there(database: Database, method: str, path: str, status: int) -> None:
    """What is not in the table is not answered."""
    async with a_door(database) as door:
        assert (await door.ask(method, path)).status == status


async def test_server_does_not_introduce_itself(database: Database) -> None:
    """What runs here and in which version is nobody's business but the operator's."""
    async with a_door(database) as door:
        assert "server" not in {name.lower() for name in (await door.get("/live")).headers}


async def test_taken_port_is_named() -> None:
    """A second program on the same port is told so, at once."""
    async with serving(create_app(Front("test")), "127.0.0.1", 0) as port:
        with pytest.raises(PortTaken, match=rf"^PORT: {port} "):
            async with serving(create_app(Front("test")), "127.0.0.1", port):
                pass


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host", "a" * 70, "::zz"])
async def test_address_of_another_machine_is_named(host: str) -> None:
    """An address that is not ours is the fault of HOST, not of PORT."""
    with pytest.raises(BadSettings, match=r"^HOST: "):
        async with serving(create_app(Front("test")), host, 0):
            pass


async def test_port_is_free_again_afterwards() -> None:
    """However short the server lived, it leaves nothing open."""
    app: Any = create_app(Front("test"))
    async with serving(app, "127.0.0.1", 0) as port:
        pass
    async with serving(app, "127.0.0.1", port) as again:
        assert again == port
