"""Methods for what a bot says about itself: name, descriptions, commands and the menu button."""

import re
from typing import Any

from sandbox.telegram.bots import Bot
from sandbox.telegram.calls import Call
from sandbox.telegram.errors import BadRequest
from sandbox.telegram.limits import COMMANDS
from sandbox.telegram.world import Method, World

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_COMMAND_DESCRIPTION_CHARS = range(1, 257)
_DESCRIPTION_CHARS = 512
_SHORT_DESCRIPTION_CHARS = 120
_NAME_CHARS = 64
_SCOPES = frozenset(
    {
        "default",
        "all_private_chats",
        "all_group_chats",
        "all_chat_administrators",
        "chat",
        "chat_administrators",
        "chat_member",
    }
)
_MENU_BUTTONS = frozenset({"commands", "web_app", "default"})


async def get_me(_world: World, bot: Bot, _call: Call) -> Any:
    """https://core.telegram.org/bots/api#getme"""
    return {
        **bot.as_user(),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def set_my_commands(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#setmycommands"""
    commands = [_command(item) for item in call.items("commands")]
    if len(commands) > COMMANDS:
        raise BadRequest("too many commands specified")
    bot.profile.commands[_scope(call)] = commands
    world.profile_changed(bot)
    return True


async def get_my_commands(_world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#getmycommands"""
    return bot.profile.commands.get(_scope(call), [])


async def delete_my_commands(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#deletemycommands"""
    bot.profile.commands.pop(_scope(call), None)
    world.profile_changed(bot)
    return True


async def set_chat_menu_button(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#setchatmenubutton"""
    button = call.object("menu_button") or {"type": "default"}
    if button.get("type") not in _MENU_BUTTONS:
        raise BadRequest("can't parse menu button: unknown type specified")
    bot.profile.menu_buttons[call.text("chat_id")] = button
    world.profile_changed(bot)
    return True


async def get_chat_menu_button(_world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#getchatmenubutton"""
    buttons = bot.profile.menu_buttons
    return buttons.get(call.text("chat_id")) or buttons.get("") or {"type": "commands"}


async def set_my_description(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#setmydescription; one for all languages here."""
    bot.profile.description = _checked(call.text("description"), _DESCRIPTION_CHARS)
    world.profile_changed(bot)
    return True


async def get_my_description(_world: World, bot: Bot, _call: Call) -> Any:
    """https://core.telegram.org/bots/api#getmydescription"""
    return {"description": bot.profile.description}


async def set_my_short_description(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#setmyshortdescription; one for all languages here."""
    bot.profile.short_description = _checked(call.text("short_description"), _SHORT_DESCRIPTION_CHARS)
    world.profile_changed(bot)
    return True


async def get_my_short_description(_world: World, bot: Bot, _call: Call) -> Any:
    """https://core.telegram.org/bots/api#getmyshortdescription"""
    return {"short_description": bot.profile.short_description}


async def set_my_name(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#setmyname; one for all languages here."""
    bot.profile.name = _checked(call.text("name"), _NAME_CHARS) or bot.profile.name
    world.profile_changed(bot)
    return True


async def get_my_name(_world: World, bot: Bot, _call: Call) -> Any:
    """https://core.telegram.org/bots/api#getmyname"""
    return {"name": bot.profile.name}


def _scope(call: Call) -> str:
    """A key for the pair of scope and language; raises BadRequest for an unknown scope."""
    scope = call.object("scope")
    kind = scope.get("type", "default")
    if kind not in _SCOPES:
        raise BadRequest("can't parse BotCommandScope: unknown type specified")
    chat = f":{scope['chat_id']}" if "chat_id" in scope else ""
    return f"{kind}{chat}/{call.text('language_code')}"


def _command(item: Any) -> dict[str, str]:
    if not isinstance(item, dict):
        raise BadRequest("can't parse BotCommand: expected an Object")
    command, description = str(item.get("command", "")).removeprefix("/"), str(item.get("description", ""))
    if not _COMMAND.fullmatch(command):
        raise BadRequest("BOT_COMMAND_INVALID")
    if len(description) not in _COMMAND_DESCRIPTION_CHARS:
        raise BadRequest("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": command, "description": description}


def _checked(text: str, limit_chars: int) -> str:
    if len(text) > limit_chars:
        raise BadRequest("DESCRIPTION_TOO_LONG")
    return text


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setChatMenuButton": set_chat_menu_button,
    "getChatMenuButton": get_chat_menu_button,
    "setMyDescription": set_my_description,
    "getMyDescription": get_my_description,
    "setMyShortDescription": set_my_short_description,
    "getMyShortDescription": get_my_short_description,
    "setMyName": set_my_name,
    "getMyName": get_my_name,
}
