"""The page itself, in Gradio."""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read on import: nothing is sent to anyone

import gradio as gr

from attention_zoo.demo.asking import ask
from attention_zoo.demo.drawing import draw, notice
from attention_zoo.demo.served import choices, examples, reason
from attention_zoo.demo.settings import MOST_PENALTY, Settings
from attention_zoo.demo.style import STYLE
from serving.client import ServerError

HEAD = """
# Where did it look?
Type a text: a served model translates it, and shows what it attended to.
"""
SYSTEM_FONTS = ("system-ui", "Noto Sans CJK KR", "sans-serif")


def build(client, models, saved_models):
    """The page.

    Args:
        client: a `RestClient` or `GrpcClient`.
        models: the names to look for on the server.
        saved_models: the folder whose cards have example sentences.

    Returns:
        A `gr.Blocks`, for `launch`.
    """

    def look_around():
        """What the server has when the page is opened."""
        found, to_know = choices(client, models)
        return gr.Dropdown(choices=found, value=found[0]), sentences_of(found[0]), notice(to_know)

    def sentences_of(model):
        sentences = [[sentence] for sentence in examples(saved_models, model)]
        return gr.Dataset(samples=sentences, visible=bool(sentences))

    def translate(model, text, own, *settings):
        try:
            return draw(ask(client, model, text, Settings(*settings) if own else None)), ""
        except (ValueError, ServerError) as error:
            return "", notice(reason(error))

    with gr.Blocks(title="Attention Zoo", analytics_enabled=False) as page:
        gr.Markdown(HEAD)
        model = gr.Dropdown(models, label="Model", filterable=False, elem_id="model")
        with gr.Row(elem_id="ask", equal_height=True):
            text = gr.Textbox(label="Text", lines=1, max_lines=6, scale=5, elem_id="text")
            button = gr.Button("Translate", variant="primary", min_width=130, elem_id="translate")
        sentences = gr.Dataset(components=["textbox"], label="Examples", elem_id="examples")
        own, *settings = _settings()
        to_know = gr.HTML(elem_id="to-know", padding=False)
        answer = gr.HTML(elem_id="answer", padding=False)

        page.load(look_around, outputs=[model, sentences, to_know])
        model.input(sentences_of, model, sentences)
        model.input(lambda: ("", ""), outputs=[answer, to_know])
        asked = translate, [model, text, own, *settings], [answer, to_know]
        gr.on([button.click, text.submit], *asked)
        sentences.click(lambda row: row[0], sentences, text).then(*asked)
    return page


def launch(page, host, port, greeting):
    """Serve a page until ctrl-C, and say so; it neither loads nor sends anything elsewhere."""
    page.launch(
        server_name=host,
        server_port=port,
        theme=_theme(),
        css=STYLE,
        footer_links=[],
        share=False,
        ssr_mode=False,
        quiet=True,
        prevent_thread_lock=True,
    )
    print(greeting, flush=True)
    page.block_thread()


def _theme():
    """One accent, in light and in dark, and fonts that are on the machine."""
    fonts = [gr.themes.Font(name) for name in SYSTEM_FONTS]
    accents = {
        "button_primary_background_fill": "*primary_700",
        "button_primary_background_fill_hover": "*primary_800",
        "checkbox_background_color_selected": "*primary_700",
        "slider_color": "*primary_700",
    }
    return gr.themes.Default(
        primary_hue="orange",
        secondary_hue="orange",
        neutral_hue="stone",
        font=fonts,
        font_mono=fonts,
    ).set(**accents, **{f"{name}_dark": colour for name, colour in accents.items()})


def _settings():
    """Whether the settings are one's own, and these."""
    default = Settings()
    with gr.Accordion("Decoding settings", open=False, elem_id="settings"):
        own = gr.Checkbox(label="Decode with these settings, not as the model was exported")
        with gr.Row():
            prefix = gr.Textbox(label="Starts with", elem_id="prefix")
            penalty = gr.Slider(
                0, MOST_PENALTY, default.length_penalty, step=0.1, label="Length penalty"
            )
        with gr.Row():
            lengths = [
                gr.Number(0, label=f"{name} length in tokens, 0: as exported", precision=0)
                for name in ("Least", "Longest")
            ]
    return own, prefix, penalty, *lengths
