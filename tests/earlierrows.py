"""Strategies: an earlier bot's rows, as awkward as they come."""

from typing import Any

from hypothesis import strategies as st

OWNERS = st.sampled_from(["1", "2", "3", "44", " 2 ", "-5", "x", "", None])
KEYS = st.sampled_from(["1", "2", "3", "4", "5", None])
AMOUNTS = st.one_of(
    st.none(),
    st.sampled_from(
        ["0", "-3", "1 234,50", "0.005", "0.80", "0.8", "NaN", "1e300", "сто", "12.340000001", "Infinity", ""]
    ),
    st.decimals(-50, 500, places=2).map(str),
)
MOMENTS = st.sampled_from(
    [None, "2024-02-30", "infinity", "2024-05-01 10:00:00", "2024-05-02T10:00:00+03:00", "9999-01-01", "NOW", "BEFORE"]
)
TASKS = st.sampled_from([None, "", "a", "b", "c", "d", "e"])
MODELS = st.sampled_from(["z-image", "gone", None])
URLS = st.sampled_from([None, "[]", "{", "https://files.example/a.png", '["https://files.example/b.png"]'])
ORDER_WORDS = st.sampled_from(["done", "completed", "running", "queued", "failed", "canceled", "draft", "odd", None])
NAMES = st.sampled_from([None, "1", "job:2", "a", "key"])


def _rows(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries(columns), max_size=5)


DATABASES = st.fixed_dictionaries(
    {
        "users": _rows(user_id=OWNERS, balance=AMOUNTS, first_name=st.sampled_from([None, "Анна"]), created_at=MOMENTS),
        "wallets": _rows(user_id=OWNERS, balance_rub=AMOUNTS, hold_rub=AMOUNTS),
        "payments": _rows(
            payment_id=KEYS,
            user_id=OWNERS,
            amount=AMOUNTS,
            payment_method=st.sampled_from([None, "sbp", "Card"]),
            status=st.sampled_from(["approved", "paid", "pending", "rejected", "odd", None]),
            idempotency_key=NAMES,
            created_at=MOMENTS,
        ),
        "generation_jobs": _rows(
            job_id=KEYS,
            user_id=OWNERS,
            model_id=MODELS,
            price=AMOUNTS,
            status=ORDER_WORDS,
            external_task_id=TASKS,
            result_urls=URLS,
            delivered_at=MOMENTS,
            created_at=MOMENTS,
            updated_at=MOMENTS,
        ),
        "jobs": _rows(
            id=KEYS,
            user_id=OWNERS,
            model_id=MODELS,
            price_rub=AMOUNTS,
            status=ORDER_WORDS,
            kie_task_id=TASKS,
            result_json=URLS,
            idempotency_key=NAMES,
            chat_id=st.sampled_from([None, "0", "-100200", "7", "x"]),
            created_at=MOMENTS,
            finished_at=MOMENTS,
        ),
        "ledger": _rows(
            id=KEYS,
            user_id=OWNERS,
            kind=st.sampled_from(["topup", "charge", "refund", "hold", "release", "adjust", "odd", None]),
            amount_rub=AMOUNTS,
            status=st.sampled_from(["done", "failed", None]),
            ref=NAMES,
        ),
        "referrals": _rows(user_id=OWNERS, referrer_id=OWNERS),
        "orphan_callbacks": _rows(task_id=TASKS, payload=st.sampled_from([None, "{}"])),
    }
)
