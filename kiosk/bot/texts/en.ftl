# Words to customers, English.

home =
    <b>Hello, { $name }!</b>

    Neural networks draw here what you describe. You see the exact price before anything starts, and if it does not work out, the money comes back by itself.

    💰 Your balance: <b>{ $balance }</b>
home-closed = Nothing is on sale right now. Please come back a little later.
create-image = 🖼 Create a picture
create-video = 🎬 Create a video
create-audio = 🎵 Create a sound
create-text = 📝 Get a text
shelf-row = { $model } — from { $price }
balance-button = 💰 Balance
home-button = 🏠 Start

balance =
    💰 <b>Balance</b>

    Available: <b>{ $available }</b>
    Set aside for running orders: <b>{ $held }</b>
balance-top-up = To top up, write to @{ $support }.

day =
    📊 <b>The last 24 hours</b>

    Done: <b>{ $done }</b>, failed: { $failed }
    Revenue: <b>{ $revenue }</b>, refunded: { $refunded }
    Spent at the provider: { $credits } credits

    Running now: { $open }, jobs in the queue: { $queue }
    Callbacks that fit no order: { $orphans }

alert-stuck =
    🔔 <b>Given up at the deadline</b>

    Model { $model }, orders: { $count }, the last one { $generation }. The provider did not finish them in time, the money is back with the customers.
alert-late =
    🔔 <b>Delivered free</b>

    Model { $model }, orders: { $count }, the last one { $generation }. The result came after the money had gone back: the provider is paid by the shop.
alert-lost =
    🔔 <b>Lost at the provider</b>

    Orders: { $count }, the last one { $generation }. Nobody knows whether the provider took them; the money is back with the customers.
alert-second_task =
    🔔 <b>Paid twice to the provider</b>

    Orders: { $count }, the last one { $generation }. An answer was lost, the order was placed once more, and both tasks ran.
alert-books =
    🔔 <b>The books do not add up</b>

    Broken: { $invariants }. “kiosk audit” shows where.

help =
    <b>How it works</b>

    1. Press /start and choose what to create.
    2. Answer the questions: describe the picture, choose its format.
    3. Check the price and press “Create”.

    The order's message turns into the result. If it does not work out, the money is back on your balance at once.

    /start — begin, /balance — balance, /cancel — cancel
help-support = Questions: @{ $support }
unknown = I understand buttons and answers to my questions. Press /start to begin, or /help to see how it works.
old-button = This button no longer works. Here is where things stand.
pressed-too-early = Not possible right now, but it will be done shortly. No need to press again.
order-over = This order is finished.
order-elsewhere = This order is running already.
nothing-to-cancel = There is nothing to cancel.

ask-prompt = ✍️ <b>Describe the picture</b>
ask-prompt-hint = What is on it, in what style, in what light. Up to { $max } characters.
ask-aspect_ratio = 📐 <b>Choose the format</b>
ask-other = <b>{ $field }</b>
ask-choice-hint = Choose with a button.
ask-text-hint = Send the answer as a message.
ask-number-hint = Send a number from { $min } to { $max }.
field-prompt = Description
field-aspect_ratio = Format
ratio-square = ⬜ { $ratio }
ratio-wide = ▭ { $ratio }
ratio-tall = ▯ { $ratio }

wrong-empty = ⚠️ That is empty. Please send a text.
wrong-too-long = ⚠️ Too long: { $actual } characters, at most { $max } are possible.
wrong-too-short = ⚠️ Too short: at least { $min } characters are needed.
wrong-choice = ⚠️ There is no such choice. Please use a button.
wrong-range = ⚠️ A number from { $min } to { $max } is needed.
wrong-media = ⚠️ Please answer with a text here.
wrong-other = ⚠️ That does not fit. Please try again.

card =
    🧾 <b>{ $model }</b>

    { $answers }

    Price: <b>{ $price }</b>
    Balance: { $available } → { $after } afterwards
card-answer = { $field }: { $value }
card-poor =
    🧾 <b>{ $model }</b>

    { $answers }

    Price: <b>{ $price }</b>
    ⚠️ Your balance is { $available }, <b>{ $missing }</b> are missing. The order is kept: top up and press “Create”.
card-price-changed = ⚠️ The price has changed, please check again.
card-too-many = ⚠️ You have { $limit } orders running already. Please wait for one of them.
create-button = ✅ Create — { $price }
edit-button = ✏️ Change
cancel-button = ✖️ Cancel
back-button = ⬅️ Back
edit = What would you like to change?
canceled = ✖️ Canceled, no money was touched.
canceled-line = ✖️ Canceled, { $price } are back on your balance.
not-sold = 😔 This model is not on sale right now. No money was touched.

status =
    ⏳ <b>Generating…</b>

    { $answers }

    { $model }{ $usual }
status-usual = {" "}· usually about { $seconds } s
done = ✅ <b>Done!</b>
done-late = 🎁 <b>Done!</b> It took longer than we waited, so it is free: your money had already gone back.
done-details = { $model } · { $price }
done-details-free = { $model } · free
done-link =
    The file is too big for Telegram. Download it while this link works:
    { $url }
again-button = 🔁 Once more
ring = ✅ Done, see above 👆

failed =
    😔 <b>It did not work out</b>

    { $reason }

    { $price } are back on your balance.
failed-moderation = The description did not pass the content rules. Change it and try again.
failed-input = The model did not accept this request. Change it and try again.
failed-provider = The model stumbled half-way. Please try again.
failed-unavailable = Orders cannot be placed right now. Please try again a little later.
failed-no_result = The model returned no result. Please try again.
failed-timeout = The model never answered. Please try again.
retry-button = 🔄 Try again

command-start = Begin
command-balance = Balance
command-help = How it works
command-cancel = Cancel
