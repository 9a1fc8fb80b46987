"""A Transformer's weights as a folder that CTranslate2 runs.

CTranslate2 knows the plain encoder-decoder: absolute positions, layer norm or RMSNorm before or
after each part, gated feed-forward networks, fewer heads for keys and values. The folder holds the
network and the two vocabularies; text is split into their pieces by whoever asks, and each source
ends in `</s>`.
"""

from pathlib import Path

import numpy as np
from keras import ops

from zoo.replacing import check_absent, replacing

# Ours and CTranslate2's name of each activation.
ACTIVATIONS = {"relu": "RELU", "gelu": "GELU", "silu": "SWISH"}


def write_ctranslate2(translator, folder):
    """Write a `zoo.Translator`'s model to `folder`, which must not exist.

    Raises:
        FileExistsError: if it does.
        ImportError: without CTranslate2.
        ValueError: for a model that CTranslate2 does not know.
    """
    folder = Path(folder)
    check_absent(folder)
    length = max(translator.decoding.max_source_length, translator.decoding.max_target_length)
    spec = specification(translator.model, length)
    spec.register_source_vocabulary(list(translator.source.vocabulary))
    spec.register_target_vocabulary(list(translator.target.vocabulary))
    spec.validate()
    with replacing(folder) as beside:
        beside.mkdir(parents=True)
        spec.save(str(beside))


def specification(model, length):
    """CTranslate2's specification of a `TransformerTranslator`, for texts of up to `length` tokens.

    Raises:
        ImportError, ValueError: as `write_ctranslate2`.
    """
    try:
        from ctranslate2 import specs
    except ImportError as error:
        raise ImportError("this needs: pip install attention-zoo[ctranslate2]") from error
    _check(model)
    options = model.options
    shape = {
        "num_layers": options["num_layers"],
        "num_heads": options["num_heads"],
        "pre_norm": options["norm_first"],
        "activation": specs.Activation[ACTIVATIONS[options["activation"]]],
        "ffn_glu": options["gated_feed_forward"],
        "rms_norm": options["norm"] == "rms",
        "num_heads_kv": options["num_kv_heads"],
    }
    encoder, decoder = specs.TransformerEncoderSpec(**shape), specs.TransformerDecoderSpec(**shape)
    encoder.multi_query_attention = options["num_kv_heads"] == 1
    _set_side(encoder, encoder.embeddings[0], model, "source", length)
    _set_side(decoder, decoder.embeddings, model, "target", length)
    for given, block in zip(encoder.layer, model.encoder, strict=True):
        _set_self_attention(given.self_attention, block.attention, block.around_attention)
        _set_feed_forward(given.ffn, block)
    for given, block in zip(decoder.layer, model.decoder, strict=True):
        _set_self_attention(given.self_attention, block.self_attention, block.around_self)
        _set_cross_attention(given.attention, block.cross_attention, block.around_cross)
        _set_feed_forward(given.ffn, block)
    if options["norm_first"]:
        _set_norm(encoder.layer_norm, model.encoder_norm)
        _set_norm(decoder.layer_norm, model.decoder_norm)
    if options["tie_embeddings"]:
        decoder.projection.weight = _array(model.target_embedding.embeddings)
    else:
        _set_dense(decoder.projection, model.projection)
    return specs.TransformerSpec(encoder, decoder)


def _check(model):
    options = getattr(model, "options", {})
    reasons = [
        ("num_heads" not in options, "it runs Transformers alone"),
        (options.get("activation") not in ACTIVATIONS, "of that activation"),
        (options.get("qk_norm") or options.get("gated_attention"), "with `qk_norm` or a gate"),
        (options.get("window"), "with a window"),
        (options.get("norm") == "unscaled", "with norms that have no weights"),
        (not hasattr(getattr(model, "source_positions", None), "encode"), "of such positions"),
    ]
    for refused, reason in reasons:
        if refused:
            raise ValueError(f"CTranslate2 has no model like this one: {reason}; export without it")


def _set_side(given, embeddings, model, side, length):
    embedding, positions = (getattr(model, f"{side}_{part}") for part in ("embedding", "positions"))
    embeddings.weight = _array(embedding.embeddings)
    places = ops.expand_dims(ops.arange(min(length, getattr(positions, "max_length", length))), 0)
    given.position_encodings.encodings = _array(positions.encode(places, embedding.output_dim)[0])
    given.scale_embeddings = True


def _set_self_attention(given, attention, residual):
    _set_norm(given.layer_norm, residual.norm)
    _set_dense(given.linear[0], attention.projection)
    _set_dense(given.linear[1], attention.output_projection)


def _set_cross_attention(given, attention, residual):
    _set_norm(given.layer_norm, residual.norm)
    _set_dense(given.linear[0], attention.query_projection)
    key, value = attention.key_projection, attention.value_projection
    kernel = np.concatenate([_array(key.kernel), _array(value.kernel)], axis=1)
    given.linear[1].weight = np.ascontiguousarray(kernel.T)
    given.linear[1].bias = np.concatenate([np.zeros(key.units, "float32"), _array(value.bias)])
    _set_dense(given.linear[2], attention.output_projection)


def _set_feed_forward(given, block):
    feed_forward, residual = block.feed_forward, block.around_feed_forward
    _set_norm(given.layer_norm, residual.norm)
    _set_dense(given.linear_1, feed_forward.contract)
    if not feed_forward.gated:
        _set_dense(given.linear_0, feed_forward.expand)
        return
    parts = np.split(_array(feed_forward.expand.kernel), 2, axis=1)
    for linear, part in zip((given.linear_0, given.linear_0_noact), parts, strict=True):
        linear.weight = np.ascontiguousarray(part.T)


def _set_norm(given, norm):
    if hasattr(norm, "gamma"):
        given.gamma, given.beta = _array(norm.gamma), _array(norm.beta)
    else:
        given.gamma = _array(norm.scale)


def _set_dense(given, dense):
    given.weight = np.ascontiguousarray(_array(dense.kernel).T)
    if dense.bias is not None:
        given.bias = _array(dense.bias)


def _array(tensor):
    return ops.convert_to_numpy(tensor).astype("float32")
