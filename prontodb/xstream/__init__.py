"""XStream: token streams, a format for data that shell scripts write with `echo` (DESIGN §8). Knows nothing of the store.

>>> from prontodb.xstream import collect_stream
>>> collect_stream(b"user=bob; ns=animals; dog=fido").data
{'global': {'user': b'bob'}, 'animals': {'dog': b'fido'}}
"""

from .bucket import GLOBAL, BucketMode, TokenBucket, TokenStream, collect, collect_stream, collect_tokens
from .convert import from_csv, from_json, to_csv, to_json, to_text
from .scanner import Scanner, locate, tokenize, tokenize_string
from .tokens import Span, StreamError, Token

__all__ = [
    "GLOBAL",
    "BucketMode",
    "Scanner",
    "Span",
    "StreamError",
    "Token",
    "TokenBucket",
    "TokenStream",
    "collect",
    "collect_stream",
    "collect_tokens",
    "from_csv",
    "from_json",
    "locate",
    "to_csv",
    "to_json",
    "to_text",
    "tokenize",
    "tokenize_string",
]
