"""The targets for speed, measured against named peers in one interleaved run: `make bench`.

Rows are data. A family (`startup`, `shells`, `listings`, `lifetimes`) has `COMMANDS`, each a name and how to make it in a `World`, and
`ROWS`, each a target and how it is judged. All commands that the rows need are timed together, every command once in every round, so that
a noisy machine is equally unkind to all of them.
"""
