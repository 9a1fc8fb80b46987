"""Attention layers for Keras 3, on every backend: written on `keras.ops` alone."""

from zoo.layers.attention import Attention
from zoo.layers.bahdanau_attention import BahdanauAttention
from zoo.layers.chunkwise_attention import ChunkwiseAttention
from zoo.layers.coverage_attention import CoverageAttention
from zoo.layers.cross_attention import CrossAttention
from zoo.layers.decoder_block import DecoderBlock
from zoo.layers.encoder_block import EncoderBlock
from zoo.layers.feed_forward import FeedForward
from zoo.layers.local_attention import LocalAttention
from zoo.layers.luong_attention import LuongAttention
from zoo.layers.monotonic_attention import MonotonicAttention
from zoo.layers.recurrent_decoder import RecurrentDecoder
from zoo.layers.residual import Residual
from zoo.layers.self_attention import SelfAttention
from zoo.layers.sinusoidal_positions import SinusoidalPositions

__all__ = [
    "Attention",
    "BahdanauAttention",
    "ChunkwiseAttention",
    "CoverageAttention",
    "CrossAttention",
    "DecoderBlock",
    "EncoderBlock",
    "FeedForward",
    "LocalAttention",
    "LuongAttention",
    "MonotonicAttention",
    "RecurrentDecoder",
    "Residual",
    "SelfAttention",
    "SinusoidalPositions",
]
