"""A person in a real browser buys a picture: the page, the bot, the worker, the provider and the books together."""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from sandbox.demo import Stage, staged

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
QUIET += ("--disable-component-update", "--disable-sync")
PATIENCE_MS = 60_000
CUSTOMER = 1001
PROMPT = "кот-космонавт <script>alert(1)</script> & «звёзды»"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium installed: apt-get install chromium"),
]


@pytest.fixture
async def stage(open_folder: Path) -> AsyncIterator[Stage]:
    """The whole demo, with a provider that takes a second or so."""
    async with staged(open_folder / "demo", time_scale=0.02) as running:
        yield running


@pytest.fixture
async def page(stage: Stage) -> AsyncIterator[Page]:
    """The chat page of one customer, in a window of a desktop."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = await browser.new_page(viewport={"width": 1100, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        await page.goto(f"{stage.chat_url}/#{CUSTOMER}")
        yield page
        await browser.close()


async def say(page: Page, text: str) -> None:
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("send").click()


async def press(page: Page, label: str) -> None:
    await page.get_by_test_id("inline-button").filter(has_text=label).last.click()


async def to_the_model(page: Page) -> None:
    """Along the shelf, page by page."""
    buttons = page.get_by_test_id("message").last.get_by_test_id("inline-button")
    await press(page, "Картинка по описанию")
    await expect(buttons.filter(has_text="Дальше")).to_be_visible()
    while not await buttons.filter(has_text="Z-Image").count():
        first = await buttons.first.inner_text()
        await press(page, "Дальше")
        await expect(buttons.first).not_to_have_text(first)
    await press(page, "Z-Image")


async def test_picture_is_bought_in_the_browser(page: Page, stage: Stage) -> None:
    """From /start to the picture in the order's own message, charged once, as the books and the page both say."""
    await say(page, "/start")
    await to_the_model(page)
    await expect(page.get_by_test_id("message").filter(has_text="Опишите картинку").last).to_be_visible()
    await say(page, PROMPT)
    await press(page, "16:9")
    card = page.get_by_test_id("message").filter(has_text="Цена").last
    await expect(card).to_contain_text(PROMPT)
    await expect(card).to_contain_text(re.compile(r"0,80\s₽"))
    number = await card.get_attribute("data-message-id")
    await press(page, "Создать")
    order = page.locator(f'[data-testid="message"][data-message-id="{number}"]')
    picture = order.get_by_test_id("photo")
    await expect(picture).to_be_visible()
    await expect(order).to_contain_text("Готово")
    await expect(page.get_by_test_id("message").filter(has_text="смотрите выше").last).to_be_visible()
    width, height = await picture.locator("xpath=descendant-or-self::img").first.evaluate(
        "async image => { await image.decode(); return [image.naturalWidth, image.naturalHeight] }"
    )
    assert abs(width / height - 16 / 9) < 0.02
    books = await stage.shop.ask("customer", str(CUSTOMER))
    assert (books["balance_rub"], books["held_rub"]) == ("999.20", "0.00")
    assert [row["captures"] for row in books["generations"]] == [1]
    assert not any((await stage.shop.ask("audit")).values())


async def test_wrong_answers_are_explained_and_change_nothing(page: Page, stage: Stage) -> None:
    """Too long a prompt, a ratio that does not exist, an old button: each answered in words, nothing bought."""
    await say(page, "/start")
    await to_the_model(page)
    await expect(page.get_by_test_id("message").filter(has_text="Опишите картинку").last).to_be_visible()
    await say(page, "я" * 1001)
    await expect(page.get_by_test_id("message").filter(has_text="1001").last).to_contain_text("не больше 1000")
    await say(page, "кот")
    await expect(page.get_by_test_id("message").filter(has_text="Выберите формат").last).to_be_visible()
    await say(page, "5:4")
    await expect(page.get_by_test_id("message").filter(has_text="Такого варианта нет").last).to_be_visible()
    await press(page, "Отмена")
    await expect(page.get_by_test_id("message").filter(has_text="Отменено").last).to_be_visible()
    books = await stage.shop.ask("customer", str(CUSTOMER))
    assert (books["balance_rub"], books["generations"]) == ("1000.00", [])
