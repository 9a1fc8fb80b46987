"""The command line of Attention Zoo."""
