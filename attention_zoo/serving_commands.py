"""`export` and `serve`."""

import os
from dataclasses import fields

from attention_zoo.command import add_model, command, model_folder
from attention_zoo.flags import add_flags, given
from attention_zoo.quiet import import_tensorflow
from serving.server_options import ServerOptions
from zoo.freed_memory import keep_freed_memory
from zoo.settings import Decoding


def add_export(commands):
    parser = command(
        commands,
        "export",
        _run_export,
        "export a trained model to a SavedModel version for TensorFlow Serving",
        "attention-zoo export dates --check --beam-size 4",
    )
    add_model(parser)
    parser.add_argument("--version", type=int, help="the next one by default")
    parser.add_argument(
        "--ensemble", nargs="+", default=[], metavar="MODEL", help="others to answer with it"
    )
    parser.add_argument(
        "--quantize",
        choices=("int8", "float16"),
        help="store matrices so: a quarter or half of the size, and a little less exact",
    )
    parser.add_argument(
        "--xla",
        action="store_true",
        help="one more signature, translate_compiled, for servers that allow XLA",
    )
    parser.add_argument(
        "--ctranslate2", metavar="FOLDER", help="write a Transformer there for CTranslate2, too"
    )
    parser.add_argument(
        "--tflite", metavar="FOLDER", help="write it there for TensorFlow Lite, on a phone, too"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="that it runs without Keras and answers as here, before it takes its place",
    )
    parser.add_argument(
        "--sentences",
        metavar="FILE",
        help="what to check it with: a text a line, or with a tab and its translation behind",
    )
    add_flags(parser.add_argument_group("decoding, the card's by default"), Decoding)


def _run_export(parsed):
    if parsed.sentences is not None and not parsed.check:
        raise ValueError("--sentences is what --check checks with; add --check")
    import_tensorflow()
    from serving.export import export

    path = export(
        model_folder(parsed),
        version=parsed.version,
        ensemble=[model_folder(parsed, other) for other in parsed.ensemble],
        quantize=parsed.quantize,
        xla=parsed.xla,
        ctranslate2=parsed.ctranslate2,
        tflite=parsed.tflite,
        check=parsed.check,
        sentences=parsed.sentences,
        **given(parsed, Decoding),
    )
    print(f"Exported {path}.")


def add_serve(commands):
    parser = command(
        commands,
        "serve",
        _run_serve,
        "serve a folder of models: TensorFlow Serving if it is here, else the local server",
        "attention-zoo serve saved_models",
    )
    parser.add_argument(
        "folder", nargs="?", default="saved_models", metavar="FOLDER", help="of models"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--rest-port", type=int, default=8501, help="8501 by default; 0 for any, of --local"
    )
    parser.add_argument(
        "--grpc-port", type=int, default=8500, help="8500 by default; 0 for any, of --local"
    )
    parser.add_argument("--model-config-file", metavar="FILE", help="TensorFlow Serving's own")
    parser.add_argument("--docker", action="store_true", help="TensorFlow Serving's image")
    parser.add_argument("--gpu", action="store_true", help="its GPU image")
    parser.add_argument("--local", action="store_true", help="the local server in any case")
    parser.add_argument(
        "--no-batching",
        dest="batching",
        action="store_false",
        help="run each request alone, not with others that arrive at the same time",
    )
    for name in (
        "batching-parameters",
        "monitoring-config",
        "ssl-config",
        "tensorflow-session-config",
    ):
        parser.add_argument(f"--{name}-file", metavar="FILE", help="TensorFlow Serving's own")
    for name, what in (
        ("max-pending", "requests at once; more are refused"),
        ("max-request-bytes", "size of a request"),
        ("max-rows", "texts in a request"),
        ("grace-seconds", "for requests to end once the server stops"),
    ):
        default = getattr(ServerOptions, name.replace("-", "_"))
        parser.add_argument(
            f"--{name}", type=int, default=default, help=f"{what}; {default} by default"
        )
    parser.add_argument(
        "--write-config", metavar="FILE", help="only write the model list of the folder, and stop"
    )


def _run_serve(parsed):
    from serving.serve import ENVIRONMENT, serve, write_model_config

    if parsed.write_config is not None:
        return write_model_config(parsed.folder, parsed.write_config)
    names = [field.name for field in fields(ServerOptions)]
    options = ServerOptions(**{name: getattr(parsed, name) for name in names})
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)  # read when TensorFlow is imported
    keep_freed_memory()
    import_tensorflow()
    return serve(
        parsed.folder,
        host=parsed.host,
        rest_port=parsed.rest_port,
        grpc_port=parsed.grpc_port,
        model_config_file=parsed.model_config_file,
        docker=parsed.docker,
        gpu=parsed.gpu,
        local=parsed.local,
        options=options,
    )
