"""The exit statuses (DESIGN §4)."""

STATUSES = {
    0: "done",
    1: "error",
    2: "miss: no such key, or expired",
    3: "precondition failed",
    4: "rescued: the content is safe in the pipe cache, but not where you asked",
    5: "timeout or busy",
    6: "denied",
    64: "usage",
    65: "the value has a NUL in it, which no shell variable can hold",
    126: "the program cannot be run: run, memo, claim, pop, watch",
    127: "there is no program of that name, likewise; all other statuses are its own",
}
"""Every exit status of ours, and its meaning."""
