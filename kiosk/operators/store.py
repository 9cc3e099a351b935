"""The alerts' SQL: one row for each kind and subject, which counts."""

import json
from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from kiosk.db import Tx
from kiosk.operators.alerts import VALUE_CHARS, Alert, Kind, Raised

COLUMNS = "id, kind, subject, details, count, told_count, raised_at, told_at, told_to"
KINDS = tuple(kind.value for kind in Kind)  # a newer replica may raise others, and tells them itself


async def raise_alert(tx: Tx, alert: Alert, *, times: int = 1) -> None:
    """Exists exactly if the caller's transaction commits. Raise it last: until then it holds a row that many share."""
    await tx.execute(
        """
        INSERT INTO alerts (kind, subject, details, count) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, subject) DO UPDATE
        SET count = alerts.count + excluded.count, details = excluded.details, raised_at = excluded.raised_at
        """,
        alert.kind.value,
        alert.subject,
        _details(alert),
        times,
    )


async def raise_while_it_lasts(tx: Tx, alert: Alert) -> None:
    """For what lasts and is found again and again: once per window, so that nobody is told when it is over."""
    await tx.execute(
        """
        INSERT INTO alerts (kind, subject, details) VALUES ($1, $2, $3)
        ON CONFLICT (kind, subject) DO UPDATE
        SET count = alerts.count + 1, details = excluded.details, raised_at = excluded.raised_at
        WHERE alerts.count = alerts.told_count AND alerts.due_at <= now()
        """,
        alert.kind.value,
        alert.subject,
        _details(alert),
    )


async def claim_untold(tx: Tx, *, limit: int, lease_s: float) -> Sequence[Raised]:
    """Takes what is to be told and hides it for `lease_s`, so that replicas share the work."""
    rows = await tx.fetch(
        f"""
        UPDATE alerts SET due_at = now() + make_interval(secs => $2)
        WHERE id IN (SELECT id FROM alerts WHERE count > told_count AND due_at <= now() AND kind = ANY($3::text[])
                     ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING {COLUMNS}
        """,  # noqa: S608 - a constant of ours
        limit,
        lease_s,
        KINDS,
    )
    return [_from_row(row) for row in rows]


async def told_one(tx: Tx, raised: Raised, operator: int) -> None:
    """This operator need not be told again while others are still to be reached."""
    await tx.execute("UPDATE alerts SET told_to = told_to || $2::bigint WHERE id = $1", raised.id, operator)


async def mark_told(tx: Tx, raised: Raised, *, window: timedelta) -> None:
    """What was raised while it was being told is told at the end of the window."""
    await tx.execute(
        """
        UPDATE alerts SET told_count = $2, told_to = '{}', told_at = now(), due_at = now() + $3
        WHERE id = $1 AND told_count < $2
        """,
        raised.id,
        raised.count,
        window,
    )


async def latest(tx: Tx, *, limit: int) -> Sequence[Raised]:
    """The last raised first."""
    rows = await tx.fetch(
        f"""
        SELECT {COLUMNS} FROM alerts
        WHERE kind = ANY($2::text[]) ORDER BY raised_at DESC, id DESC LIMIT $1
        """,  # noqa: S608 - a constant of ours
        limit,
        KINDS,
    )
    return [_from_row(row) for row in rows]


async def forget_told(tx: Tx, *, older_than_days: int) -> int:
    tag = await tx.execute(
        """
        DELETE FROM alerts WHERE count = told_count AND raised_at < now() - make_interval(days => $1)
        """,
        older_than_days,
    )
    return int(tag.split()[1])


def _details(alert: Alert) -> str:
    return json.dumps({name: value[:VALUE_CHARS] for name, value in alert.values.items()}, ensure_ascii=False)


def _from_row(row: asyncpg.Record) -> Raised:
    return Raised(
        id=row["id"],
        alert=Alert(Kind(row["kind"]), row["subject"], json.loads(row["details"])),
        count=row["count"],
        told_count=row["told_count"],
        raised_at=row["raised_at"],
        told_at=row["told_at"],
        told_to=tuple(row["told_to"]),
    )
