"""Connects a bot's queue with its webhook."""

from functools import partial

from sandbox.telegram.bots import Bot
from sandbox.telegram.webhook import PushRules, WebhookPusher
from sandbox.telegram.world import World

WEBHOOK_TARGET = "webhook"


def start_pushing(world: World, bot: Bot) -> None:
    """Does nothing for a bot without a webhook."""
    if bot.webhook is None:
        return
    rules = PushRules(
        session=world.session,
        stats=world.stats,
        draw_faults=partial(world.faults.draw, WEBHOOK_TARGET),
        execute=partial(world.on_reply, bot),
        confirmed=world.changed,
        time_scale=world.options.time_scale,
        timeout_s=world.options.webhook_timeout_s,
    )
    bot.pusher = WebhookPusher(bot.queue, bot.webhook, rules)
    bot.pusher.start()


async def stop_pushing(bot: Bot) -> None:
    """What is not confirmed by now stays in the queue."""
    if bot.pusher is not None:
        pusher, bot.pusher = bot.pusher, None
        await pusher.stop()
