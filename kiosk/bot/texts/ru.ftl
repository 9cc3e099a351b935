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
alert-sales_paused =
    🔔 <b>Продажи на паузе</b>

    Поставщик не принимает заказы: { $reason }, для последнего нужно кредитов: { $needed }. Пополните счёт у поставщика или проверьте ключ: продажи возобновятся сами.
alert-sales_resumed =
    🔔 <b>Продажи возобновлены</b>

    Причина паузы ({ $reason }) устранена.
alert-breaker_opened =
    🔔 <b>Поставщик не работает</b>

    Подряд не удалось заказов: { $troubles }. Новые ждут в очереди, время от времени пробуем один.
alert-breaker_closed =
    🔔 <b>Поставщик снова работает</b>

    Очередь движется.
alert-bot_refused =
    🔔 <b>Бот не принят</b>

    Telegram не принимает токен бота { $bot }. Возьмите действующий у @BotFather; остальные боты работают, этот продолжит сам, как только токен примут.
alert-webhook_troubled =
    🔔 <b>Обновления не доходят</b>

    Бот { $bot }: Telegram не может передать нам обновления, ждут: { $pending }. Его ответ: { $error }. Проверьте адрес WEBHOOK_BASE_URL.

alert-credits_low =
    🔔 <b>У поставщика осталось мало кредитов</b>

    Осталось: { $balance }, за последние 24 часа потрачено: { $spent }. При таком расходе хватит на часов: { $hours }. Пополните счёт у поставщика, иначе продажи остановятся.
alert-failures =
    🔔 <b>Слишком много неудачных заказов</b>

    За последние { $minutes } мин. неудачны { $failed } из { $ended } заказов ({ $share } %). Деньги вернулись клиентам. «kiosk doctor» проверит всё, на что опирается магазин.
alert-model_failures =
    🔔 <b>Слишком много неудачных заказов одной модели</b>

    Модель { $model }: за последние { $minutes } мин. неудачны { $failed } из { $ended } заказов ({ $share } %). Деньги вернулись клиентам. Снять модель с продажи можно в PRICES_FILE.
alert-cost_above_quote =
    🔔 <b>Поставщик взял больше расчётного</b>

    Модель { $model }, заказов: { $count }, последний — { $generation }: { $consumed } кредитов вместо { $quoted }. Её цену надо исправить в PRICES_FILE.
alert-cost_above_price =
    🔔 <b>Продано ниже себестоимости</b>

    Модель { $model }, заказов: { $count }, последний — { $generation }: он обошёлся в { $cost } ₽, а цена { $price } ₽.
alert-stray =
    🔔 <b>Найдены забытые заказы</b>

    Заказов: { $count }, последний — { $generation }. О них никто бы не вспомнил; теперь они идут дальше. Это ошибка программы.

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
ask-prompt-text_to_image-hint = Что на ней, в каком стиле, какой свет. До { $max } символов.
ask-aspect_ratio = 📐 <b>Выберите формат</b>
ask-other = <b>{ $field }</b>
ask-choice-hint = Выберите вариант кнопкой.
ask-text-hint = Пришлите ответ сообщением, до { $max } символов.
ask-number-hint = Пришлите число от { $min } до { $max }.
ratio-square = ⬜ { $ratio }
ratio-wide = ▭ { $ratio }
ratio-tall = ▯ { $ratio }

home-choose = Что создаём?
aisle =
    <b>{ $kind }</b>

    Выберите модель.
page-back = ◀️ Раньше
page-on = Дальше ▶️

ask-prompt-image_to_image = ✍️ <b>Опишите, что сделать с картинкой</b>
ask-prompt-image_edit = ✍️ <b>Опишите, что изменить на картинке</b>
ask-prompt-video = ✍️ <b>Опишите видео</b>
ask-prompt-audio = ✍️ <b>Опишите музыку или звук</b>
ask-prompt-text = ✍️ <b>Опишите, о чём написать</b>
ask-text = ✍️ <b>Пришлите текст, который нужно озвучить</b>
ask-content = ✍️ <b>Опишите стиль музыки</b>
ask-duration = ⏱ <b>Выберите длительность</b>
ask-resolution = 📺 <b>Выберите разрешение</b>
ask-quality = ✨ <b>Выберите качество</b>
ask-voice = 🗣 <b>Выберите голос</b>
ask-sound = 🔊 <b>Добавить звук?</b>
ask-negative_prompt = 🚫 <b>Чего не должно быть?</b>
ask-open-hint = Выберите кнопкой или пришлите свой вариант сообщением.
ask-whole-hint = Пришлите целое число от { $min } до { $max }.
ask-any-number-hint = Пришлите число.
ask-from-number-hint = Пришлите число не меньше { $min }.
ask-preset-hint = Обычно: { $value }.
ask-objects-hint = Не больше { $max }. Нажмите на строку, чтобы изменить её или добавить подробности.
ask-object-hint = Нажмите, что нужно изменить.
ask-object = ✍️ <b>{ $object }</b>
ask-left-hint = Вместе не больше { $max } символов, осталось { $left }.
ask-dialogue = 💬 <b>Реплики диалога</b>
ask-dialogue-text = Что произнести?
ask-dialogue-voice = Чьим голосом?
ask-multi_prompt = 🎬 <b>Сцены по порядку</b>
ask-multi_prompt-prompt = Что происходит в этой сцене?
ask-multi_prompt-duration = Сколько секунд длится сцена?
ask-image_references = 🖼 <b>Картинки того, что должно появиться</b>
object-number = { $list } · { $number }
object-add-button = ➕ Добавить ещё
object-drop-button = 🗑 Убрать
object-drop-last-button = 🗑 Убрать последнее
objects-done-button = ✅ Дальше (всего: { $count })
objects = всего: { $count }
ask-list-hint = Пришлите сообщением, каждое значение с новой строки. Не больше { $max }.
prices-hint = Цена на кнопке — при остальных выбранных сейчас настройках.
choice-price = { $choice } · { $price }
reset-button = ♻️ Убрать ответ
tune-button = ⚙️ Настройки
tune =
    ⚙️ <b>Настройки</b> · { $model }

    Всё это можно не менять. Нажмите, что хотите поправить.
setting-row = { $field }: { $value }
setting-row-changed = ✏️ { $field }: { $value }
setting-none = не задано
files = файлов: { $count }

type-text_to_image = 🖼 Картинка по описанию
type-image_to_image = 🎨 Картинка по картинке
type-image_edit = 🖌 Изменить картинку
type-background_removal = ✂️ Убрать фон
type-upscale = 🔍 Увеличить картинку
type-outpaint = 🏞 Расширить картинку
type-image_segmentation = 🧩 Разобрать картинку
type-image_analysis = 🔎 Описать картинку
type-text_to_video = 🎬 Видео по описанию
type-image_to_video = 🎞 Оживить картинку
type-video_to_video = 📽 Видео по видео
type-video_extend = ⏩ Продолжить видео
type-video_upscale = 📺 Улучшить видео
type-speech_to_video = 🗣 Видео по речи
type-text_to_speech = 🔊 Озвучить текст
type-speech_to_text = 📝 Речь в текст
type-audio_to_audio = 🎚 Обработать звук
type-text_to_audio = 🔔 Звук по описанию
type-text_to_music = 🎵 Создать музыку
type-audio_to_video = 💃 Видео по звуку
type-audio_to_image = 🌈 Картинка по звуку
type-text_to_text = 💬 Текст по описанию
type-utility = 🧰 Разное

option-yes = ✅ Да
option-no = ❌ Нет
option-special = 🎲 На усмотрение модели
option-seconds = { $seconds } с
option-auto = Авто
option-Auto = Авто
option-AUTO = Авто
option-adaptive = Авто
option-f = Женский
option-m = Мужской
option-none = Нет
option-opaque = Непрозрачный
option-transparent = Прозрачный
option-high = Высокое
option-medium = Среднее
option-basic = Обычное
option-std = Обычный
option-pro = Про
option-fun = Весёлый
option-normal = Обычный
option-spicy = Дерзкий
option-square = Квадрат
option-square_hd = Квадрат HD
option-portrait_4_3 = ▯ 3:4
option-portrait_3_2 = ▯ 2:3
option-portrait_16_9 = ▯ 9:16
option-landscape_4_3 = ▭ 4:3
option-landscape_3_2 = ▭ 3:2
option-landscape_16_9 = ▭ 16:9
option-landscape_21_9 = ▭ 21:9
option-TURBO = Быстро
option-BALANCED = Взвешенно
option-QUALITY = Качественно
option-DESIGN = Дизайн
option-FICTION = Вымысел
option-GENERAL = Общий
option-REALISTIC = Реалистичный
option-FIRST_AND_LAST_FRAMES_2_VIDEO = По первому и последнему кадру
option-REFERENCE_2_VIDEO = По образцам
option-TEXT_2_VIDEO = По описанию
option-separate_vocal = Голос и музыка
option-split_stem = Все дорожки
option-split_stem_advanced = Одна дорожка
field-align_audio = Подогнать звук
field-align_audio_reverse = Подогнать в обратную сторону
field-audio_setting = Звуковая дорожка
field-background_source = Чей фон
field-character_orientation = Поворот персонажа
field-open_scenedet = Искать смену сцен
field-output_resolution = Разрешение
field-pe_fast_mode = Быстрый режим
field-separate_vocal = Отделить голос
field-templ_start_seconds = Начать с секунды
field-upscale_factor = Во сколько раз
field-extend_at = Продолжить с секунды
field-extend_times = На сколько секунд
field-author = Автор
field-domain_name = Адрес сайта
field-seeds = Число случайности
field-task_id = Исходный результат
field-taskId = Исходный результат
field-audio_id = Исходная дорожка
field-acceleration = Ускорение
field-aspect_ratio = Формат
field-audio = Звук
field-audio_url = Аудио
field-audio_urls = Аудио
field-audio_weight = Влияние аудио
field-background = Фон
field-camera_fixed = Неподвижная камера
field-cfg_scale = Следование описанию
field-content = Описание стиля
field-continue_at = Продолжить с секунды
field-custom_mode = Свои настройки песни
field-customize_multi_shots = Свои сцены
field-default_param_flag = Свои параметры
field-driving_audio_url = Ведущее аудио
field-description = Описание
field-dialogue = Реплика
field-element_input_audio_urls = Записи голоса
field-element_input_urls = Картинки
field-elements = Персонаж или предмет
field-image_references = Картинка-образец
field-image_references-ref_name = Имя для описания
field-image_references-type = Что это
field-kling_elements = Персонаж или предмет
field-name = Имя
field-duration = Длительность
field-enable_pro = Режим «Про»
field-enable_prompt_expansion = Дополнять описание
field-enable_sequential = Серия картинок
field-enable_translation = Перевод описания
field-end_image_url = Последний кадр
field-enhance_prompt = Улучшать описание
field-expand_prompt = Дополнять описание
field-files_url = Файлы
field-first_clip_url = Первый фрагмент
field-first_frame = Первый кадр
field-first_frame_image_url = Первый кадр
field-first_frame_url = Первый кадр
field-fixed_lens = Неподвижная камера
field-frames_per_second = Кадров в секунду
field-full_lyrics = Полный текст песни
field-generate_audio = Создать звук
field-generate_audio_switch = Создать звук
field-generate_multi_clip_switch = Несколько планов
field-generation_type = Способ
field-grab_lyrics = Сохранить слова
field-guidance_scale = Следование описанию
field-image = Картинка
field-image_input = Картинки-образцы
field-image_resolution = Разрешение
field-image_size = Размер картинки
field-image_url = Картинка
field-image_urls = Картинки
field-index = Номер картинки
field-infill_end_s = Конец замены, с
field-infill_start_s = Начало замены, с
field-input_image = Исходная картинка
field-input_urls = Исходные картинки
field-instrumental = Без слов
field-language_code = Язык
field-last_frame_image_url = Последний кадр
field-last_frame_url = Последний кадр
field-lyrics = Слова песни
field-mask_url = Маска
field-max_images = Сколько картинок
field-mode = Режим
field-model = Версия модели
field-multi_prompt = Сцены
field-multi_shots = Несколько планов
field-n = Сколько картинок
field-negative_prompt = Чего не должно быть
field-negative_tags = Каких стилей избегать
field-next_text = Текст после
field-num_frames = Число кадров
field-num_images = Сколько картинок
field-num_inference_steps = Число шагов
field-output_format = Формат файла
field-prefer_multi_shots = Разбить на планы
field-previous_text = Текст до
field-prompt = Описание
field-prompt_extend = Дополнять описание
field-prompt_optimizer = Улучшать описание
field-prompt_upsampling = Улучшать описание
field-quality = Качество
field-ratio = Формат
field-reference_audio_urls = Аудио-образцы
field-reference_file_urls = Файл-образец
field-reference_image = Картинка-образец
field-reference_image_urls = Картинки-образцы
field-reference_link_urls = Страница-образец
field-reference_mask_urls = Маска
field-reference_video = Видео-образец
field-reference_video_urls = Видео-образцы
field-reference_voice = Образец голоса
field-rendering_speed = Скорость
field-resolution = Разрешение
field-return_last_frame = Прислать последний кадр
field-seed = Число случайности
field-shift = Сдвиг
field-similarity_boost = Сходство голоса
field-size = Размер
field-sound = Звук
field-sound_key = Тональность
field-sound_loop = Зациклить
field-sound_tempo = Темп, ударов в минуту
field-speed = Скорость речи
field-stability = Устойчивость голоса
field-stem_name = Дорожка
field-strength = Сила изменения
field-style = Стиль
field-style_weight = Влияние стиля
field-tags = Стиль и настроение
field-tail_image_url = Последний кадр
field-template_id = Эффект
field-text = Текст
field-thinking_mode = Обдумывание
field-timestamps = Метки времени
field-title = Название
field-type = Вид
field-upload_url = Аудио
field-upload_url_list = Аудио
field-variety = Разнообразие
field-video_url = Видео
field-video_urls = Видео
field-vocal_gender = Голос
field-voice = Голос
field-watermark = Водяной знак
field-web_search = Поиск в интернете
field-weirdness_constraint = Необычность

ask-file-image = Пришлите картинку: фото, файл или ссылку.
ask-file-video = Пришлите видео: ролик, кружок или ссылку.
ask-file-audio = Пришлите звук: аудио, голосовое или ссылку.
ask-file-document = Пришлите документ: файл или ссылку.
ask-file-webpage = Пришлите ссылку на страницу.
ask-files-hint = Можно несколько, до { $max }; альбомом тоже.
ask-formats-hint = Форматы: { $formats }.
ask-size-hint = До { $max } МБ.
ask-length-hint = Длина: от { $min } до { $max } с.
files-done-button = ✅ Дальше (файлов: { $count })
media-image = картинка
media-video = видео
media-audio = звук
media-document = документ
media-webpage = ссылка на страницу
unfit-kind = ⚠️ Это не подходит: нужно другое — { $kind }.
unfit-kind-found = ⚠️ Это { $found }, а нужно другое — { $kind }.
unfit-format = ⚠️ Такой формат не подходит. Нужен один из: { $formats }.
unfit-big = ⚠️ Файл { $actual } МБ, а можно до { $max } МБ.
unfit-bigger = ⚠️ Файл больше { $max } МБ, а можно не больше.
unfit-short = ⚠️ Длина { $actual } с, а нужно хотя бы { $min } с.
unfit-long = ⚠️ Длина { $actual } с, а можно до { $max } с.
unfit-length = ⚠️ Не видно, сколько это длится. Пришлите не файлом и не ссылкой, а прямо в чат: { $kind }.
unfit-unreadable = ⚠️ Не получилось открыть файл. Пришлите его ещё раз.
unfit-nothing = ⚠️ Не получилось открыть файл: по этой ссылке его нет. Проверьте ссылку или пришлите сам файл.
unfit-private = ⚠️ Не получилось открыть файл: ссылка ведёт в закрытую сеть. Пришлите сам файл.
unfit-away = ⚠️ Не получилось открыть файл: сайт не отвечает или отвечает слишком медленно. Попробуйте позже или пришлите сам файл.
unfit-page = ⚠️ По этой ссылке открывается страница, а нужно другое — { $kind }. Дайте прямую ссылку на файл или пришлите сам файл.
unfit-surplus =
    { $count ->
        [1] ⚠️ Сюда нужен один файл: взят первый, остальные не понадобились.
       *[other] ⚠️ Больше файлов сюда не поместится: взяты первые { $count }, остальные не понадобились.
    }

wrong-empty = ⚠️ Пустой ответ. Пришлите текст.
wrong-missing = ⚠️ Ещё не хватает: «{ $field }».
wrong-too-long-together = ⚠️ Вместе слишком длинно: { $actual } символов, а можно не больше { $max }.
wrong-too-many-together = ⚠️ Вместе слишком много ({ $fields }): { $actual }, а можно не больше { $max }.
wrong-too-long = ⚠️ Слишком длинно: { $actual } символов, а можно не больше { $max }.
wrong-too-short = ⚠️ Слишком коротко: нужно хотя бы { $min } символов.
wrong-choice = ⚠️ Такого варианта нет. Выберите кнопкой.
wrong-number = ⚠️ Это не подходит.
wrong-range = ⚠️ Нужно число от { $min } до { $max }.
wrong-media = ⚠️ Здесь нужен ответ текстом.
wrong-step = ⚠️ Нужно число, кратное { $step }.
wrong-form = ⚠️ «{ $field }»: ответ не того вида. Попробуйте иначе.
wrong-link = ⚠️ Нужен файл или ссылка на него, которая начинается с https://.
wrong-too-few = ⚠️ Сейчас { $actual }, а нужно хотя бы { $min }.
wrong-too-many = ⚠️ Сейчас { $actual }, а можно не больше { $max }.
wrong-need-one = ⚠️ Нужно хотя бы одно из: { $fields }.
wrong-only-one = ⚠️ Можно только одно из: { $fields }.
wrong-needed = ⚠️ Нужен ещё ответ «{ $field }», раз указано { $because }.
wrong-together = ⚠️ Так вместе нельзя: { $fields }. Измените или уберите что-то одно.
wrong-here = ⚠️ «{ $field }» нельзя при таком выборе: { $because }.
unpriced-input = ⚠️ Цена зависит от «{ $field }». Укажите это в настройках.
unpriced-length = ⚠️ Цена зависит от длины «{ $field }», заранее её не посчитать. Уберите этот файл.
unpriced-open = ⚠️ Цену не посчитать заранее, пока «{ $field }» выбирает модель. Укажите значение сами.
unpriced-other = ⚠️ Такое сочетание не продаётся. Измените ответы или настройки.
wrong-other = ⚠️ Так не подойдёт. Попробуйте ещё раз.

card =
    🧾 <b>{ $model }</b>

    { $answers }

    Цена: <b>{ $price }</b>
    На балансе: { $available } → останется { $after }
card-answer = { $field }: { $value }
card-source = Исходник: ваш результат, файл { $number }
card-source-gone = ⚠️ Исходный результат уже не открыть, поэтому заказ не сделать. Деньги не тронуты.
card-poor =
    🧾 <b>{ $model }</b>

    { $answers }

    Цена: <b>{ $price }</b>
    ⚠️ На балансе { $available }, не хватает <b>{ $missing }</b>. Заказ сохранён: пополните баланс и нажмите «Создать».
card-price-changed = ⚠️ Цена изменилась, проверьте ещё раз.
card-too-many =
    ⚠️ У вас уже { $limit ->
        [one] { $limit } заказ
        [few] { $limit } заказа
       *[other] { $limit } заказов
    } в работе. Дождитесь одного из них.
card-paused = ⏸ Продажи на паузе: мы уже разбираемся. Заказ сохранён, деньги не тронуты — попробуйте чуть позже.
card-stuck =
    🧾 <b>{ $model }</b>

    { $answers }

    { $why }
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
line-place =
    🕒 <b>Вы { $place }-й в очереди</b>{ $ahead ->
        [0] {""}
        [one] {" "}— перед вами { $ahead } заказ
        [few] {" "}— перед вами { $ahead } заказа
       *[other] {" "}— перед вами { $ahead } заказов
    }
line-why-busy = Сейчас много заказов. Ваш начнётся сам, когда подойдёт очередь.
line-why-trouble = Нейросеть временно не отвечает. Мы пробуем снова, место за вами сохраняется.
line-why-paused = Продажи на паузе: мы уже разбираемся. Место за вами сохраняется.
line =
    { $heading }

    { $answers }

    { $model }
    { $why } Если не дождёмся, деньги вернутся сами.
done = ✅ <b>Готово!</b>
done-late = 🎁 <b>Готово!</b> Получилось позже, чем мы ждали, поэтому бесплатно: деньги мы уже вернули.
done-details = { $model } · { $price }
done-details-free = { $model } · бесплатно
done-link =
    Файл слишком большой для Telegram. Скачайте его по ссылке, пока она действует:
    { $url }
again-button = 🔁 Ещё раз
original-button = 📎 Оригинал
original-owed-now = 📎 Сейчас пришлём файл без сжатия
original-owed-already = Файл без сжатия уже отправлен, он ниже
original-owed-expired = Файл без сжатия хранится 14 дней, и они прошли. Осталась картинка в чате
original-expired = 📎 Файла без сжатия больше нет: его хранят 14 дней. Картинка выше — всё, что осталось.
onward-button = ✨ Что дальше
onward-which = ✨ <b>Что дальше?</b> С каким из них?
onward-result = ✨ <b>Что сделать с этим результатом?</b>
onward-file = ✨ <b>Что сделать с этим файлом?</b>
onward-file-gone = Сам файл сейчас не открыть: скорее всего, он слишком старый или слишком большой. Но можно вот что.
onward-gone = 😔 Этот результат сейчас не открыть: скорее всего, он слишком старый или слишком большой. Пришлите его мне файлом.
onward-nothing = С этим сейчас больше ничего не сделать.
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
