# Words to customers, Russian: the first language of the shop. Plain words; every failure says what became of the money.

home =
    <b>Привет, { $name }!</b>

    Здесь нейросети рисуют по вашему описанию. Вы увидите точную цену до запуска, а если что-то не получится — деньги вернутся сами.

    💰 На балансе: <b>{ $balance }</b>
home-closed = Сейчас ничего не продаётся. Загляните чуть позже.
create-image = 🖼 Создать картинку
create-video = 🎬 Создать видео
create-audio = 🎵 Создать звук
create-text = 📝 Получить текст
shelf-row = { $model } — от { $price }
balance-button = 💰 Баланс
home-button = 🏠 В начало

balance =
    💰 <b>Баланс</b>

    Доступно: <b>{ $available }</b>
    Отложено на идущие заказы: <b>{ $held }</b>
balance-top-up = Чтобы пополнить, напишите @{ $support }.

day =
    📊 <b>За сутки</b>

    Готово: <b>{ $done }</b>, не получилось: { $failed }
    Выручка: <b>{ $revenue }</b>, возвращено: { $refunded }
    Потрачено у поставщика: { $credits } кредитов

    Сейчас в работе: { $open }, заданий в очереди: { $queue }
    Неопознанных уведомлений: { $orphans }

alert-stuck =
    🔔 <b>Не дождались результата</b>

    Модель { $model }, заказов: { $count }, последний — { $generation }. Поставщик не успел к сроку, деньги вернулись клиентам.
alert-late =
    🔔 <b>Отдано бесплатно</b>

    Модель { $model }, заказов: { $count }, последний — { $generation }. Результат пришёл после возврата денег: поставщику платит магазин.
alert-lost =
    🔔 <b>Потеряно у поставщика</b>

    Заказов: { $count }, последний — { $generation }. Неизвестно, принял ли их поставщик; деньги вернулись клиентам.
alert-second_task =
    🔔 <b>Поставщику заплачено дважды</b>

    Заказов: { $count }, последний — { $generation }. Ответ потерялся, заказ разместили ещё раз, и выполнились оба.
alert-books =
    🔔 <b>Учёт не сходится</b>

    Нарушено: { $invariants }. Подробности покажет «kiosk audit».

help =
    <b>Как это работает</b>

    1. Нажмите /start и выберите, что создать.
    2. Ответьте на вопросы: опишите картинку, выберите формат.
    3. Проверьте цену и нажмите «Создать».

    Сообщение с заказом само превратится в результат. Если не получится, деньги вернутся на баланс в ту же секунду.

    /start — начать, /balance — баланс, /cancel — отменить
help-support = Вопросы: @{ $support }
unknown =
    Я понимаю кнопки и ответы на мои вопросы. Нажмите /start, чтобы начать, или /help — как всё устроено.
old-button = Эта кнопка уже не действует. Вот что есть сейчас.
pressed-too-early = Сейчас не получается, но я всё сделаю чуть позже. Нажимать ещё раз не нужно.
order-over = Этот заказ уже выполнен.
order-elsewhere = Этот заказ уже в работе.
nothing-to-cancel = Отменять нечего.

ask-prompt = ✍️ <b>Опишите картинку</b>
ask-prompt-hint = Что на ней, в каком стиле, какой свет. До { $max } символов.
ask-aspect_ratio = 📐 <b>Выберите формат</b>
ask-other = <b>{ $field }</b>
ask-choice-hint = Выберите вариант кнопкой.
ask-text-hint = Пришлите ответ сообщением.
ask-number-hint = Пришлите число от { $min } до { $max }.
field-prompt = Описание
field-aspect_ratio = Формат
ratio-square = ⬜ { $ratio }
ratio-wide = ▭ { $ratio }
ratio-tall = ▯ { $ratio }

wrong-empty = ⚠️ Пустой ответ. Пришлите текст.
wrong-too-long = ⚠️ Слишком длинно: { $actual } символов, а можно не больше { $max }.
wrong-too-short = ⚠️ Слишком коротко: нужно хотя бы { $min } символов.
wrong-choice = ⚠️ Такого варианта нет. Выберите кнопкой.
wrong-range = ⚠️ Нужно число от { $min } до { $max }.
wrong-media = ⚠️ Здесь нужен ответ текстом.
wrong-other = ⚠️ Так не подойдёт. Попробуйте ещё раз.

card =
    🧾 <b>{ $model }</b>

    { $answers }

    Цена: <b>{ $price }</b>
    На балансе: { $available } → останется { $after }
card-answer = { $field }: { $value }
card-poor =
    🧾 <b>{ $model }</b>

    { $answers }

    Цена: <b>{ $price }</b>
    ⚠️ На балансе { $available }, не хватает <b>{ $missing }</b>. Заказ сохранён: пополните баланс и нажмите «Создать».
card-price-changed = ⚠️ Цена изменилась, проверьте ещё раз.
card-too-many = ⚠️ У вас уже { $limit } заказов в работе. Дождитесь одного из них.
create-button = ✅ Создать — { $price }
edit-button = ✏️ Изменить
cancel-button = ✖️ Отмена
back-button = ⬅️ Назад
edit = Что изменить?
canceled = ✖️ Отменено, деньги не тронуты.
canceled-line = ✖️ Отменено, { $price } вернулись на баланс.
not-sold = 😔 Эта модель сейчас не продаётся. Деньги не тронуты.

status =
    ⏳ <b>Генерирую…</b>

    { $answers }

    { $model }{ $usual }
status-usual = {" "}· обычно около { $seconds } с
done = ✅ <b>Готово!</b>
done-late = 🎁 <b>Готово!</b> Получилось позже, чем мы ждали, поэтому бесплатно: деньги мы уже вернули.
done-details = { $model } · { $price }
done-details-free = { $model } · бесплатно
done-link =
    Файл слишком большой для Telegram. Скачайте его по ссылке, пока она действует:
    { $url }
again-button = 🔁 Ещё раз
ring = ✅ Готово, смотрите выше 👆

failed =
    😔 <b>Не получилось</b>

    { $reason }

    { $price } вернулись на баланс.
failed-moderation = Описание не прошло проверку правил. Измените его и попробуйте ещё раз.
failed-input = Нейросеть не приняла этот запрос. Измените его и попробуйте ещё раз.
failed-provider = Нейросеть споткнулась на полпути. Попробуйте ещё раз.
failed-unavailable = Сейчас сделать заказ не удаётся. Попробуйте чуть позже.
failed-no_result = Нейросеть не вернула результат. Попробуйте ещё раз.
failed-timeout = Нейросеть так и не ответила. Попробуйте ещё раз.
retry-button = 🔄 Попробовать снова

command-start = Начать
command-balance = Баланс
command-help = Как это работает
command-cancel = Отменить
