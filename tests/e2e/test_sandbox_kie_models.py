"""The lists of models and prices of the provider's stand-in."""

import pytest

from tests.kie_stand_in import running_kie


async def test_models_are_listed_and_narrowed() -> None:
    """All of them, or those of a kind, a provider or a text; no match is an empty list."""
    async with running_kie(discovery_limit_per_s=None) as kie:

        async def total(query: str) -> int:
            body = (await kie.get(f"/api/v1/models{query}"))[1]
            assert body["data"]["total"] == len(body["data"]["models"])
            return int(body["data"]["total"])

        assert await total("") == 188
        assert await total("?q=z-image") == 1
        assert await total("?taskType=text-to-image") == 34
        assert 0 < await total("?provider=Suno&taskType=text-to-music") < await total("?provider=Suno")
        assert await total("?q=nothing-like-it") == 0


async def test_a_model_is_described() -> None:
    """Schema, price and success rate of a model whose id has a slash that is not encoded."""
    async with running_kie(discovery_limit_per_s=None) as kie:
        schema = (await kie.get("/api/v1/models/kling-3.0/video/schema"))[1]["data"]
        assert (schema["model"], schema["openapi"]["openapi"]) == ("kling-3.0/video", "3.1.0")
        price = (await kie.get("/api/v1/models/z-image/price"))[1]["data"]
        assert "0.8 credits" in price["pricingDesc"]
        rate = (await kie.get("/api/v1/models/z-image/success-rate"))[1]["data"]
        assert len(rate) == 144
        assert rate[0]["end"] == rate[1]["start"]


@pytest.mark.parametrize("page", ["schema", "price", "success-rate"])
async def test_unknown_models_are_not_described(page: str) -> None:
    """A 404 in the body that names the model."""
    async with running_kie() as kie:
        status, body = await kie.get(f"/api/v1/models/no/such/{page}")
        assert (status, body["code"]) == (200, 404)
        assert "no/such" in body["msg"]


async def test_discovery_endpoints_share_a_limit() -> None:
    """A list and a description within one second are one too many."""
    async with running_kie() as kie:
        codes = {
            (await kie.get(path))[1]["code"] for path in ["/api/v1/models?q=z", "/api/v1/models/z-image/price"] * 20
        }
        assert codes == {200, 429}


async def test_price_feed_is_public_and_paged() -> None:
    """No key is needed; prices are texts, and no row has a model id."""
    async with running_kie() as kie:
        kie.key = None
        counts = (await kie.get("/client/v1/model-pricing/count"))[1]["data"]
        assert counts["all"] == counts["image"] + counts["video"] + counts["music"] == 188
        page = {"pageNum": 2, "pageSize": 100, "modelDescription": "", "interfaceType": ""}
        data = (await kie.post("/client/v1/model-pricing/page", page))[1]["data"]
        assert (len(data["records"]), data["total"]) == (88, 188)
        one = {"pageNum": 1, "pageSize": 10, "modelDescription": "Z-Image", "interfaceType": "image"}
        (row,) = (await kie.post("/client/v1/model-pricing/page", one))[1]["data"]["records"]
        assert (row["creditPrice"], row["usdPrice"]) == ("0.8", "0.0040")
        assert "z-image" not in row.values()


async def test_broken_page_requests_are_refused() -> None:
    """What is no page number is a 400."""
    async with running_kie() as kie:
        assert (await kie.post("/client/v1/model-pricing/page", {"pageNum": "x"}))[1]["code"] == 400
        assert (await kie.post("/client/v1/model-pricing/page", []))[1]["code"] == 400
