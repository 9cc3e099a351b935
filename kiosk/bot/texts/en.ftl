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
alert-sales_paused =
    🔔 <b>Sales are paused</b>

    The provider takes no orders: { $reason }, credits needed for the last one: { $needed }. Top up at the provider or check the key: sales resume by themselves.
alert-sales_resumed =
    🔔 <b>Sales are resumed</b>

    What they were paused for ({ $reason }) is over.
alert-breaker_opened =
    🔔 <b>The provider does not work</b>

    Orders that failed in a row: { $troubles }. New ones wait in line, and now and then one is tried.
alert-breaker_closed =
    🔔 <b>The provider works again</b>

    The line is moving.
alert-bot_refused =
    🔔 <b>A bot is refused</b>

    Telegram does not accept the token of bot { $bot }. Ask @BotFather for the present one; the other bots work, and this one goes on by itself once its token is accepted.
alert-webhook_troubled =
    🔔 <b>Updates do not get through</b>

    Bot { $bot }: Telegram cannot hand us its updates, waiting: { $pending }. It says: { $error }. Check the address in WEBHOOK_BASE_URL.

alert-credits_low =
    🔔 <b>Few credits are left at the provider</b>

    Left: { $balance }, spent in the last 24 hours: { $spent }. At this pace they last for hours: { $hours }. Top up at the provider, or sales will pause.
alert-failures =
    🔔 <b>Too many orders fail</b>

    In the last { $minutes } minutes { $failed } of { $ended } orders failed ({ $share } %). The money is back with the customers. “kiosk doctor” looks at everything that the shop leans on.
alert-model_failures =
    🔔 <b>Too many orders of a model fail</b>

    Model { $model }: in the last { $minutes } minutes { $failed } of { $ended } orders failed ({ $share } %). The money is back with the customers. PRICES_FILE takes a model off the shelf.
alert-cost_above_quote =
    🔔 <b>The provider took more than was quoted</b>

    Model { $model }, orders: { $count }, the last one { $generation }: { $consumed } credits instead of { $quoted }. Its price has to be mended in PRICES_FILE.
alert-cost_above_price =
    🔔 <b>Sold below cost</b>

    Model { $model }, orders: { $count }, the last one { $generation }: it cost { $cost } ₽ and its price is { $price } ₽.
alert-stray =
    🔔 <b>Forgotten orders found</b>

    Orders: { $count }, the last one { $generation }. Nothing would have looked at them again; they go on now. This is a bug.

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
ask-prompt-text_to_image-hint = What is on it, in what style, in what light. Up to { $max } characters.
ask-aspect_ratio = 📐 <b>Choose the format</b>
ask-other = <b>{ $field }</b>
ask-choice-hint = Choose with a button.
ask-text-hint = Send the answer as a message of up to { $max } characters.
ask-number-hint = Send a number from { $min } to { $max }.
ratio-square = ⬜ { $ratio }
ratio-wide = ▭ { $ratio }
ratio-tall = ▯ { $ratio }

home-choose = What shall we create?
aisle =
    <b>{ $kind }</b>

    Choose a model.
page-back = ◀️ Back
page-on = More ▶️

ask-prompt-image_to_image = ✍️ <b>Describe what to do with the picture</b>
ask-prompt-image_edit = ✍️ <b>Describe what to change in the picture</b>
ask-prompt-video = ✍️ <b>Describe the video</b>
ask-prompt-audio = ✍️ <b>Describe the music or the sound</b>
ask-prompt-text = ✍️ <b>Describe what to write about</b>
ask-text = ✍️ <b>Send the text to be spoken</b>
ask-content = ✍️ <b>Describe the style of the music</b>
ask-duration = ⏱ <b>Choose the duration</b>
ask-resolution = 📺 <b>Choose the resolution</b>
ask-quality = ✨ <b>Choose the quality</b>
ask-voice = 🗣 <b>Choose the voice</b>
ask-sound = 🔊 <b>Add sound?</b>
ask-negative_prompt = 🚫 <b>What is to be avoided?</b>
ask-open-hint = Choose with a button, or send something else as a message.
ask-whole-hint = Send a whole number from { $min } to { $max }.
ask-any-number-hint = Send a number.
ask-from-number-hint = Send a number of at least { $min }.
ask-preset-hint = Usually: { $value }.
ask-objects-hint = Up to { $max }. Press one to change it or to add details.
ask-object-hint = Press what you want to change.
ask-object = ✍️ <b>{ $object }</b>
ask-left-hint = All together up to { $max } characters, { $left } are left.
ask-dialogue = 💬 <b>Lines of the dialogue</b>
ask-dialogue-text = What is said?
ask-dialogue-voice = Whose voice?
ask-multi_prompt = 🎬 <b>Scenes, one after the other</b>
ask-multi_prompt-prompt = What happens in this scene?
ask-multi_prompt-duration = How many seconds does this scene last?
ask-image_references = 🖼 <b>Pictures of what is to appear</b>
object-number = { $list } · { $number }
object-add-button = ➕ Add another
object-drop-button = 🗑 Remove
object-drop-last-button = 🗑 Remove the last
objects-done-button = ✅ Go on (total: { $count })
objects = total: { $count }
ask-list-hint = Send a message with one value in each line. At most { $max }.
prices-hint = The price on a button holds with everything else as it is chosen now.
choice-price = { $choice } · { $price }
reset-button = ♻️ Take the answer back
tune-button = ⚙️ Settings
tune =
    ⚙️ <b>Settings</b> · { $model }

    All of this may stay as it is. Press what you want to change.
setting-row = { $field }: { $value }
setting-row-changed = ✏️ { $field }: { $value }
setting-none = not set
files = files: { $count }

type-text_to_image = 🖼 Picture from a text
type-image_to_image = 🎨 Picture from a picture
type-image_edit = 🖌 Edit a picture
type-background_removal = ✂️ Remove the background
type-upscale = 🔍 Upscale a picture
type-outpaint = 🏞 Extend a picture
type-image_segmentation = 🧩 Segment a picture
type-image_analysis = 🔎 Describe a picture
type-text_to_video = 🎬 Video from a text
type-image_to_video = 🎞 Animate a picture
type-video_to_video = 📽 Video from a video
type-video_extend = ⏩ Extend a video
type-video_upscale = 📺 Upscale a video
type-speech_to_video = 🗣 Video from speech
type-text_to_speech = 🔊 Voice a text
type-speech_to_text = 📝 Speech to text
type-audio_to_audio = 🎚 Work on a sound
type-text_to_audio = 🔔 Sound from a text
type-text_to_music = 🎵 Make music
type-audio_to_video = 💃 Video from a sound
type-audio_to_image = 🌈 Picture from a sound
type-text_to_text = 💬 Text from a text
type-utility = 🧰 Tools

option-yes = ✅ Yes
option-no = ❌ No
option-special = 🎲 Up to the model
option-seconds = { $seconds } s
option-auto = Auto
option-Auto = Auto
option-AUTO = Auto
option-adaptive = Auto
option-f = Female
option-m = Male
option-none = None
option-opaque = Opaque
option-transparent = Transparent
option-high = High
option-medium = Medium
option-basic = Basic
option-std = Standard
option-pro = Pro
option-fun = Fun
option-normal = Normal
option-spicy = Spicy
option-square = Square
option-square_hd = Square HD
option-portrait_4_3 = ▯ 3:4
option-portrait_3_2 = ▯ 2:3
option-portrait_16_9 = ▯ 9:16
option-landscape_4_3 = ▭ 4:3
option-landscape_3_2 = ▭ 3:2
option-landscape_16_9 = ▭ 16:9
option-landscape_21_9 = ▭ 21:9
option-TURBO = Fast
option-BALANCED = Balanced
option-QUALITY = Quality
option-DESIGN = Design
option-FICTION = Fiction
option-GENERAL = General
option-REALISTIC = Realistic
option-FIRST_AND_LAST_FRAMES_2_VIDEO = From the first and last frame
option-REFERENCE_2_VIDEO = From references
option-TEXT_2_VIDEO = From a text
option-separate_vocal = Vocals and music
option-split_stem = All stems
option-split_stem_advanced = One stem
field-align_audio = Align the audio
field-align_audio_reverse = Align backwards
field-audio_setting = Audio track
field-background_source = Background from
field-character_orientation = Character orientation
field-open_scenedet = Detect scenes
field-output_resolution = Resolution
field-pe_fast_mode = Fast mode
field-separate_vocal = Separate the voice
field-templ_start_seconds = Start from second
field-upscale_factor = Factor
field-extend_at = Continue from second
field-extend_times = How many seconds more
field-author = Author
field-domain_name = Site address
field-seeds = Random seed
field-task_id = Earlier result
field-taskId = Earlier result
field-audio_id = Earlier track
field-acceleration = Acceleration
field-aspect_ratio = Format
field-audio = Sound
field-audio_url = Audio
field-audio_urls = Audio files
field-audio_weight = Audio weight
field-background = Background
field-camera_fixed = Fixed camera
field-cfg_scale = Prompt adherence
field-content = Style description
field-continue_at = Continue from second
field-custom_mode = Custom mode
field-customize_multi_shots = Custom shots
field-default_param_flag = Custom parameters
field-driving_audio_url = Driving audio
field-description = Description
field-dialogue = Line
field-element_input_audio_urls = Voice recordings
field-element_input_urls = Pictures
field-elements = Character or thing
field-image_references = Reference picture
field-image_references-ref_name = Name for the description
field-image_references-type = What it is
field-kling_elements = Character or thing
field-name = Name
field-duration = Duration
field-enable_pro = Pro mode
field-enable_prompt_expansion = Expand the description
field-enable_sequential = Picture series
field-enable_translation = Translate the description
field-end_image_url = Last frame
field-enhance_prompt = Improve the description
field-expand_prompt = Expand the description
field-files_url = Files
field-first_clip_url = First clip
field-first_frame = First frame
field-first_frame_image_url = First frame
field-first_frame_url = First frame
field-fixed_lens = Fixed lens
field-frames_per_second = Frames per second
field-full_lyrics = Full lyrics
field-generate_audio = Generate sound
field-generate_audio_switch = Generate sound
field-generate_multi_clip_switch = Several shots
field-generation_type = Method
field-grab_lyrics = Keep the lyrics
field-guidance_scale = Prompt adherence
field-image = Picture
field-image_input = Reference pictures
field-image_resolution = Resolution
field-image_size = Picture size
field-image_url = Picture
field-image_urls = Pictures
field-index = Picture number
field-infill_end_s = Replace until, s
field-infill_start_s = Replace from, s
field-input_image = Source picture
field-input_urls = Source pictures
field-instrumental = Instrumental
field-language_code = Language
field-last_frame_image_url = Last frame
field-last_frame_url = Last frame
field-lyrics = Lyrics
field-mask_url = Mask
field-max_images = How many pictures
field-mode = Mode
field-model = Model version
field-multi_prompt = Scenes
field-multi_shots = Several shots
field-n = How many pictures
field-negative_prompt = What to avoid
field-negative_tags = Styles to avoid
field-next_text = Following text
field-num_frames = Number of frames
field-num_images = How many pictures
field-num_inference_steps = Number of steps
field-output_format = File format
field-prefer_multi_shots = Split into shots
field-previous_text = Preceding text
field-prompt = Description
field-prompt_extend = Expand the description
field-prompt_optimizer = Improve the description
field-prompt_upsampling = Improve the description
field-quality = Quality
field-ratio = Format
field-reference_audio_urls = Reference audio
field-reference_file_urls = Reference file
field-reference_image = Reference picture
field-reference_image_urls = Reference pictures
field-reference_link_urls = Reference page
field-reference_mask_urls = Mask
field-reference_video = Reference video
field-reference_video_urls = Reference videos
field-reference_voice = Reference voice
field-rendering_speed = Speed
field-resolution = Resolution
field-return_last_frame = Return the last frame
field-seed = Seed
field-shift = Shift
field-similarity_boost = Voice similarity
field-size = Size
field-sound = Sound
field-sound_key = Key
field-sound_loop = Loop
field-sound_tempo = Tempo, beats per minute
field-speed = Speech speed
field-stability = Voice stability
field-stem_name = Stem
field-strength = Strength
field-style = Style
field-style_weight = Style weight
field-tags = Style and mood
field-tail_image_url = Last frame
field-template_id = Effect
field-text = Text
field-thinking_mode = Thinking
field-timestamps = Timestamps
field-title = Title
field-type = Kind
field-upload_url = Audio
field-upload_url_list = Audio files
field-variety = Variety
field-video_url = Video
field-video_urls = Videos
field-vocal_gender = Voice gender
field-voice = Voice
field-watermark = Watermark
field-web_search = Web search
field-weirdness_constraint = Weirdness

ask-file-image = Send a picture: a photo, a file or a link.
ask-file-video = Send a video: a clip, a video message or a link.
ask-file-audio = Send a sound: music, a voice message or a link.
ask-file-document = Send a document: a file or a link.
ask-file-webpage = Send a link to a page.
ask-files-hint = Several are possible, up to { $max }; an album too.
ask-formats-hint = Formats: { $formats }.
ask-size-hint = Up to { $max } MB.
ask-length-hint = Length: { $min } to { $max } s.
files-done-button = ✅ Go on (files: { $count })
media-image = picture
media-video = video
media-audio = sound
media-document = document
media-webpage = link to a page
unfit-kind = ⚠️ That does not fit: something else is needed — { $kind }.
unfit-kind-found = ⚠️ That is a { $found }, but something else is needed — { $kind }.
unfit-format = ⚠️ That format does not fit. One of these is needed: { $formats }.
unfit-big = ⚠️ The file has { $actual } MB, up to { $max } MB are possible.
unfit-bigger = ⚠️ The file has more than { $max } MB, which is the most.
unfit-short = ⚠️ It lasts { $actual } s, at least { $min } s are needed.
unfit-long = ⚠️ It lasts { $actual } s, up to { $max } s are possible.
unfit-length = ⚠️ It does not show how long it lasts. Send it into the chat itself, not as a file or a link: { $kind }.
unfit-unreadable = ⚠️ The file could not be opened. Please send it once more.
unfit-nothing = ⚠️ The file could not be opened: there is none at this link. Check the link, or send the file itself.
unfit-private = ⚠️ The file could not be opened: the link leads into a private network. Please send the file itself.
unfit-away = ⚠️ The file could not be opened: the site does not answer, or too slowly. Try again later, or send the file itself.
unfit-page = ⚠️ A web page opens at this link, but something else is needed — { $kind }. Give a direct link to the file, or send the file itself.
unfit-surplus =
    { $count ->
        [1] ⚠️ One file is needed here: the first was taken, the others were not needed.
       *[other] ⚠️ There is no room for more files here: the first { $count } were taken, the others were not needed.
    }

wrong-empty = ⚠️ That is empty. Please send a text.
wrong-missing = ⚠️ “{ $field }” is still missing.
wrong-too-long-together = ⚠️ Too long all together: { $actual } characters, at most { $max } are possible.
wrong-too-many-together = ⚠️ Too many all together ({ $fields }): { $actual }, at most { $max } are possible.
wrong-too-long = ⚠️ Too long: { $actual } characters, at most { $max } are possible.
wrong-too-short = ⚠️ Too short: at least { $min } characters are needed.
wrong-choice = ⚠️ There is no such choice. Please use a button.
wrong-number = ⚠️ That does not fit.
wrong-range = ⚠️ A number from { $min } to { $max } is needed.
wrong-media = ⚠️ Please answer with a text here.
wrong-step = ⚠️ A multiple of { $step } is needed.
wrong-form = ⚠️ “{ $field }”: that is not the right kind of answer. Try it another way.
wrong-link = ⚠️ A file is needed, or a link to it that begins with https://.
wrong-too-few = ⚠️ There are { $actual }, at least { $min } are needed.
wrong-too-many = ⚠️ There are { $actual }, at most { $max } are possible.
wrong-need-one = ⚠️ At least one of these is needed: { $fields }.
wrong-only-one = ⚠️ Only one of these is possible: { $fields }.
wrong-needed = ⚠️ “{ $field }” is needed too, because of { $because }.
wrong-together = ⚠️ These do not go together: { $fields }. Change one or take it away.
wrong-here = ⚠️ “{ $field }” is not possible with this choice: { $because }.
unpriced-input = ⚠️ The price depends on “{ $field }”. Choose it in the settings.
unpriced-length = ⚠️ The price depends on the length of “{ $field }” and cannot be told beforehand. Take that file away.
unpriced-open = ⚠️ The price cannot be told beforehand while the model chooses “{ $field }”. Choose a value yourself.
unpriced-other = ⚠️ This combination is not sold. Change answers or settings.
wrong-other = ⚠️ That does not fit. Please try again.

card =
    🧾 <b>{ $model }</b>

    { $answers }

    Price: <b>{ $price }</b>
    Balance: { $available } → { $after } afterwards
card-answer = { $field }: { $value }
card-source = Made from: your result, file { $number }
card-source-gone = ⚠️ The result that this goes on from cannot be opened any more, so it cannot be ordered. No money was touched.
card-poor =
    🧾 <b>{ $model }</b>

    { $answers }

    Price: <b>{ $price }</b>
    ⚠️ Your balance is { $available }, <b>{ $missing }</b> are missing. The order is kept: top up and press “Create”.
card-price-changed = ⚠️ The price has changed, please check again.
card-too-many =
    ⚠️ You have { $limit ->
        [one] { $limit } order
       *[other] { $limit } orders
    } running already. Please wait for one of them.
card-paused = ⏸ Sales are paused: we are on it. Your order is saved, no money was touched — please try a little later.
card-stuck =
    🧾 <b>{ $model }</b>

    { $answers }

    { $why }
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
line-place =
    🕒 <b>You are number { $place } in line</b>{ $ahead ->
        [0] {""}
        [one] {" "}— { $ahead } order is ahead of you
       *[other] {" "}— { $ahead } orders are ahead of you
    }
line-why-busy = There are many orders right now. Yours starts by itself when its turn comes.
line-why-trouble = The neural network does not answer at the moment. We keep trying, and your place is kept.
line-why-paused = Sales are paused: we are on it. Your place is kept.
line =
    { $heading }

    { $answers }

    { $model }
    { $why } If it takes too long, your money comes back by itself.
done = ✅ <b>Done!</b>
done-late = 🎁 <b>Done!</b> It took longer than we waited, so it is free: your money had already gone back.
done-details = { $model } · { $price }
done-details-free = { $model } · free
done-link =
    The file is too big for Telegram. Download it while this link works:
    { $url }
again-button = 🔁 Once more
original-button = 📎 Original
original-owed-now = 📎 The uncompressed file is on its way
original-owed-already = The uncompressed file was sent already, see below
original-owed-expired = The uncompressed file is kept for 14 days, and these are over. The picture in the chat is left
original-expired = 📎 The uncompressed file is gone: it is kept for 14 days. The picture above is all that is left.
onward-button = ✨ What next
onward-which = ✨ <b>What next?</b> With which of them?
onward-result = ✨ <b>What shall we do with this result?</b>
onward-file = ✨ <b>What shall we do with this file?</b>
onward-file-gone = The file itself cannot be opened now: most likely it is too old or too big. But this can be done.
onward-gone = 😔 This result cannot be opened now: most likely it is too old or too big. Send it to me as a file.
onward-nothing = There is nothing more to be done with this now.
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
