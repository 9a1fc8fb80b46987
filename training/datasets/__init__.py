"""Parallel text: datasets that ship with the package, any of TFDS's, and one's own files.

A dataset that ships is one folder here, in TFDS's own layout, whose builder extends
`embedded.EmbeddedDataset`. `load.load_pairs` reads any dataset by its name or its folder and
`load.load_corpus` reads plain files; both give the same `Pairs`. `filters` leaves out bad ones.
"""
