"""ProntoDB: a namespaced key-value store whose first client is the shell."""

__version__ = "0.1.0"
