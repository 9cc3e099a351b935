"""The lists of models and prices of the stand-in of the provider: discovery endpoints and the public price feed."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.faults import JSON
from sandbox.kie.door import RATE_TEXT, body, envelope
from sandbox.kie.provider import Provider
from sandbox.kie.rules import Field, ModelRule, rules

_USD_PER_CREDIT = 0.005
_TEN_MINUTES_MS = 600_000
_JSON_TYPES = {"url": "string", "enum": "string"}


def routes(provider: Provider) -> list[web.RouteDef]:
    """Four discovery endpoints that share a limit, and the two of the price feed."""
    catalogue = Catalogue(provider)
    return [
        web.get("/api/v1/models", catalogue.models, name="models"),
        web.get("/api/v1/models/{model:.+}/schema", catalogue.schema, name="model-schema"),
        web.get("/api/v1/models/{model:.+}/price", catalogue.price, name="model-price"),
        web.get("/api/v1/models/{model:.+}/success-rate", catalogue.success_rate, name="model-success-rate"),
        web.get("/client/v1/model-pricing/count", catalogue.pricing_count, name="pricing-count"),
        web.post("/client/v1/model-pricing/page", catalogue.pricing_page, name="pricing-page"),
    ]


class Catalogue:
    """The handlers of the lists."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def models(self, request: web.Request) -> web.Response:
        """All models, narrowed by taskType, provider and q; no match is an empty list, not an error."""
        if self._too_often():
            return envelope(429, RATE_TEXT)
        query = request.query
        found = [_listed(rule) for rule in rules().values() if _matches(rule, query)]
        return envelope(200, "success", {"total": len(found), "models": found})

    async def schema(self, request: web.Request) -> web.Response:
        return self._about(request, lambda rule: {"model": rule.id, "openapi": _openapi(rule)})

    async def price(self, request: web.Request) -> web.Response:
        return self._about(request, lambda rule: {"model": rule.id, "pricingDesc": _pricing(rule)})

    async def success_rate(self, request: web.Request) -> web.Response:
        """A day of ten-minute points, all fine."""
        end = self._provider.clock.now_ms() // _TEN_MINUTES_MS * _TEN_MINUTES_MS
        points = [
            {"start": end - back, "end": end - back + _TEN_MINUTES_MS, "successRate": 100.0, "errorRate": 0.0}
            | {"isNormal": True}
            for back in range(144 * _TEN_MINUTES_MS, 0, -_TEN_MINUTES_MS)
        ]
        return self._about(request, lambda _rule: points)

    async def pricing_count(self, _request: web.Request) -> web.Response:
        kinds = [_interface(rule) for rule in rules().values()]
        counts = {kind: kinds.count(kind) for kind in ("image", "video", "music")}
        return envelope(200, "success", {"all": len(kinds)} | counts)

    async def pricing_page(self, request: web.Request) -> web.Response:
        """A page of the price feed; prices are texts and no row carries a model id."""
        try:
            asked = await request.json()
            number, size = int(asked.get("pageNum", 1)), min(int(asked.get("pageSize", 20)), 100)
            text, kind = str(asked.get("modelDescription") or ""), str(asked.get("interfaceType") or "")
        except (ValueError, TypeError, AttributeError):
            return body({"code": 400, "msg": "Bad request", "data": None})
        rows = [
            _priced(rule)
            for rule in rules().values()
            if text.lower() in rule.name.lower() and kind in ("", _interface(rule))
        ]
        start = max(number - 1, 0) * size
        return envelope(200, "success", {"records": rows[start : start + size], "total": len(rows)})

    def _too_often(self) -> bool:
        return not self._provider.discoveries.accepts(self._provider.now_s())

    def _about(self, request: web.Request, answer: Any) -> web.Response:
        if self._too_often():
            return envelope(429, RATE_TEXT)
        model = request.match_info["model"]
        rule = rules().get(model)
        if rule is None:
            return envelope(404, f"model name {model} is not supported")
        return envelope(200, "success", answer(rule))


def _listed(rule: ModelRule) -> dict[str, JSON]:
    return {
        "model": rule.id,
        "slug": rule.id.replace("/", "-"),
        "title": rule.name,
        "provider": rule.vendor,
        "taskType": [rule.type.replace("_", "-")],
        "description": None,
        "pricingDesc": _pricing(rule),
    }


def _matches(rule: ModelRule, query: Mapping[str, str]) -> bool:
    text = query.get("q", "").lower()
    return (
        query.get("taskType", "") in ("", rule.type.replace("_", "-"))
        and query.get("provider", "") in ("", rule.vendor)
        and (text in rule.id or text in rule.name.lower())
    )


def _openapi(rule: ModelRule) -> JSON:
    """An OpenAPI 3.1 document with the one operation of this model."""
    given: dict[str, JSON] = {field.name: _property(field) for field in rule.inputs}
    required: list[JSON] = [field.name for field in rule.inputs if field.required]
    properties: dict[str, JSON] = {
        "model": {"type": "string", "enum": [rule.id]},
        "callBackUrl": {"type": "string"},
        "input": {"type": "object", "properties": given, "required": required},
    }
    schema: JSON = {"type": "object", "required": ["model", "input"], "properties": properties}
    operation: JSON = {"requestBody": {"content": {"application/json": {"schema": schema}}}, "responses": {}}
    info: JSON = {"title": rule.name, "version": "1.0.0"}
    return {"openapi": "3.1.0", "info": info, "paths": {"/api/v1/jobs/createTask": {"post": operation}}}


def _property(field: Field) -> JSON:
    kind = field.value_type if field.type == "enum" else field.type
    shape: dict[str, JSON] = {"type": _JSON_TYPES.get(kind, kind)}
    limits: dict[str, JSON] = {"minimum": field.min, "maximum": field.max}
    limits |= {
        "enum": list(field.enum) if field.enum else None,
        "maxLength": field.max_length,
        "maxItems": field.max_items,
    }
    return shape | {name: limit for name, limit in limits.items() if limit is not None}


def _pricing(rule: ModelRule) -> str:
    return f"{rule.name} costs {rule.credits:g} credits per task, about ${rule.credits * _USD_PER_CREDIT:.4f}."


def _interface(rule: ModelRule) -> str:
    return {"image": "image", "video": "video"}.get(rule.output, "music")


def _priced(rule: ModelRule) -> dict[str, JSON]:
    return {
        "modelDescription": f"{rule.name}, {rule.type.replace('_', '-')}",
        "interfaceType": _interface(rule),
        "provider": rule.vendor,
        "creditPrice": f"{rule.credits:g}",
        "creditUnit": "per task",
        "usdPrice": f"{rule.credits * _USD_PER_CREDIT:.4f}",
        "falPrice": "",
        "discountRate": 0,
        "anchor": "",
        "discountPrice": False,
    }
