"""The main job, end to end: train, evaluate, export, serve, ask, draw.

    make demo

Takes written dates of 20 locales to ISO dates. A second run goes on from what the first one left:
it trains nothing anew, and exports the next version.
"""

from pathlib import Path

import numpy as np

import zoo
from serving.client import GrpcClient, RestClient
from serving.export import export
from serving.server import LocalServer
from training.datasets.load import load_pairs
from training.evaluate import evaluate
from training.recipes import RECIPES
from training.train import train
from zoo.explain import Alignment, heat_map, table

TEXTS = ["2013년 2월 9일 토요일", "Tuesday, 14 June 1904", "1981年5月3日(日)"]


def main(recipe=RECIPES["dates"], folder=Path()):
    model, data_dir = folder / "saved_models" / "dates", str(folder / "runs" / "datasets")
    train(recipe, "dates", runs=folder / "runs", saved_models=model.parent, data_dir=data_dir)
    print(f"\nOn the test dates: {evaluate(model, data_dir=data_dir)}")
    print(f"Exported {export(model)}")
    with LocalServer(model.parent, rest_port=0, grpc_port=0) as server:
        clients = [RestClient(port=server.rest_port), GrpcClient(port=server.grpc_port)]
        rest, grpc = (
            client.translate("dates", TEXTS, signature="translate_with_alignment")
            for client in clients
        )
        print("The server's answers over REST and over gRPC, and their log-probability:")
        for row in zip(TEXTS, rest["text"], grpc["text"], rest["score"], strict=True):
            print("  {}  ->  {}  {}  {:.4f}".format(*row))
        compare_with_in_process(clients[0], model, data_dir)
    alignments = Alignment.rows(rest)
    print(f"\n{table(alignments[0])}\n")
    print(f"Drew {heat_map(alignments, folder / 'alignment.png')}")
    print("Next: .venv/bin/attention-zoo serve saved_models")


def compare_with_in_process(client, model, data_dir):
    """Served and in-process translations of the whole test set, which are to be the same."""
    texts = load_pairs("dates", "test", source="text", target="iso", data_dir=data_dir).sources
    here = zoo.Translator.load(model).translate_all(texts)
    batches = [texts[i : i + 100] for i in range(0, len(texts), 100)]
    served = np.concatenate([client.translate("dates", batch)["text"] for batch in batches])
    same = sum(a == b for a, b in zip(here, served, strict=True))
    print(f"Served as in process: {same} of {len(texts)}")


if __name__ == "__main__":
    main()
