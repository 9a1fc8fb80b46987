"""Datasets, tf.data pipelines, recipes, training and evaluation of the zoo's models."""
