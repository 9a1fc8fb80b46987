"""`demo`: a page in the browser that asks a running server."""

from attention_zoo.asking_commands import add_server, client
from attention_zoo.command import add_saved_models, command
from attention_zoo.demo.served import names
from serving.ports import address, listen

SERVER = "127.0.0.1:8501"


def add_demo(commands):
    parser = command(
        commands,
        "demo",
        _run_demo,
        "open a page that asks a running server and shows what its models attend to",
        "attention-zoo demo --server localhost:8501",
    )
    add_server(parser, default=SERVER)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=7860, help="7860 by default; 0 for any")
    parser.add_argument(
        "--model",
        nargs="+",
        metavar="NAME",
        help="those to choose from; those of --saved-models by default",
    )
    add_saved_models(parser)


def _run_demo(parsed):
    models = parsed.model or names(parsed.saved_models)
    if "" in models:
        raise ValueError("--model got '', which is nothing: name models that the server serves")
    asked = client(parsed)
    with listen(parsed.host, parsed.port) as listener:
        port = listener.getsockname()[1]
    app = _app()
    page = app.build(asked, models, parsed.saved_models)
    where = f"http://{address(parsed.host, port)}"
    app.launch(page, parsed.host, port, f"On {where} until ctrl-C; asks {parsed.server}.")


def _app():
    try:
        from attention_zoo.demo import app
    except ImportError as error:
        raise ImportError("the page needs Gradio: pip install attention-zoo[demo]") from error
    return app
