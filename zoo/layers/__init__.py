"""Attention layers for Keras 3, on every backend: written on `keras.ops` alone."""

from zoo.layers.alibi_positions import AlibiPositions
from zoo.layers.attention import Attention
from zoo.layers.attention_pooling import AttentionPooling
from zoo.layers.bahdanau_attention import BahdanauAttention
from zoo.layers.chunkwise_attention import ChunkwiseAttention
from zoo.layers.coverage_attention import CoverageAttention
from zoo.layers.cross_attention import CrossAttention
from zoo.layers.decoder_block import DecoderBlock
from zoo.layers.encoder_block import EncoderBlock
from zoo.layers.feed_forward import FeedForward
from zoo.layers.learned_positions import LearnedPositions
from zoo.layers.local_attention import LocalAttention
from zoo.layers.luong_attention import LuongAttention
from zoo.layers.monotonic_attention import MonotonicAttention
from zoo.layers.noise_positions import NoisePositions
from zoo.layers.positions import Positions
from zoo.layers.recurrent_decoder import RecurrentDecoder
from zoo.layers.residual import Residual
from zoo.layers.rotary_positions import RotaryPositions
from zoo.layers.self_attention import SelfAttention
from zoo.layers.shaw_positions import ShawPositions
from zoo.layers.sinusoidal_positions import SinusoidalPositions
from zoo.layers.t5_positions import T5Positions
from zoo.layers.tied_embedding import TiedEmbedding

__all__ = [
    "AlibiPositions",
    "Attention",
    "AttentionPooling",
    "BahdanauAttention",
    "ChunkwiseAttention",
    "CoverageAttention",
    "CrossAttention",
    "DecoderBlock",
    "EncoderBlock",
    "FeedForward",
    "LearnedPositions",
    "LocalAttention",
    "LuongAttention",
    "MonotonicAttention",
    "NoisePositions",
    "Positions",
    "RecurrentDecoder",
    "Residual",
    "RotaryPositions",
    "SelfAttention",
    "ShawPositions",
    "SinusoidalPositions",
    "T5Positions",
    "TiedEmbedding",
]
