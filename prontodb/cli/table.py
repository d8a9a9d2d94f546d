"""Every verb: where its body is, and the line that help shows. Data, so that `--help` imports nothing else."""

VALUES, LISTINGS, TRANSFER, LIFETIMES = "Values", "Listings", "Export and import", "Lifetimes"
RESCUE, UPKEEP, CONTEXTS, SHELL, ABOUT = "Rescue", "Upkeep", "Contexts", "Shells", "About"
STREAMS, HISTORY, TOGETHER, PROGRAMS, WAITING = "Streams", "History", "Leases and queues", "Programs", "Waiting"


class Row:
    """One verb: the module and function of its command, its section of the help, and its line there."""

    __slots__ = ("module", "name", "section", "summary")

    def __init__(self, section: str, where: str, summary: str) -> None:
        self.section = section
        self.module, _, self.name = where.partition(":")
        self.summary = summary


VERBS = {
    "set": Row(VALUES, "values:put", "Store a value: an argument, standard input, or a file."),
    "get": Row(VALUES, "values:get", "Print a value."),
    "mget": Row(VALUES, "batch:mget", "Print the values of many addresses."),
    "del": Row(VALUES, "values:delete", "Delete an entry."),
    "delete": Row(VALUES, "values:delete", "The same as del."),
    "exists": Row(VALUES, "values:exists", "Tell by the exit status whether an entry is there."),
    "incr": Row(VALUES, "counters:incr", "Add to an integer, and print the sum."),
    "decr": Row(VALUES, "counters:decr", "Take from an integer, and print the difference."),
    "append": Row(VALUES, "counters:append", "Add to the end of a value."),
    "copy": Row(VALUES, "values:copy", "Copy a value to another address; out of the pipe cache, move it."),
    "move": Row(VALUES, "values:move", "Move a value to another address."),
    "claim": Row(TOGETHER, "leases:claim", "Get a lease, and run a command while it is kept."),
    "renew": Row(TOGETHER, "leases:renew", "Let a lease last longer."),
    "release": Row(TOGETHER, "leases:release", "End a lease."),
    "push": Row(TOGETHER, "queues:push", "Add an item to the end of a queue."),
    "pop": Row(TOGETHER, "queues:pop", "Take the oldest item from a queue."),
    "ack": Row(TOGETHER, "queues:ack", "Delete an item that was leased, and is done."),
    "nack": Row(TOGETHER, "queues:nack", "Give an item that was leased back to its queue."),
    "keys": Row(LISTINGS, "listings:keys", "List the names in a place."),
    "scan": Row(LISTINGS, "listings:scan", "List names and values in a place."),
    "ls": Row(LISTINGS, "listings:scan", "The same as scan."),
    "browse": Row(LISTINGS, "browsing:browse", "Pick an address at the terminal, with a preview."),
    "diff": Row(LISTINGS, "differences:diff", "Tell which keys differ between two contexts."),
    "projects": Row(LISTINGS, "listings:projects", "List the projects."),
    "namespaces": Row(LISTINGS, "listings:namespaces", "List the namespaces of a project."),
    "nss": Row(LISTINGS, "listings:nss", "List all namespaces, as project.namespace."),
    "wait": Row(WAITING, "waiting:wait", "Wait until conditions hold."),
    "watch": Row(WAITING, "waiting:watch", "Tell what happens in a place, as it happens."),
    "stream": Row(STREAMS, "streams:stream", "Store a token stream."),
    "xstream": Row(STREAMS, "operators:xstream", "Fork, merge, gate and transform token streams."),
    "export": Row(TRANSFER, "transfer:export", "Write entries in a form that import reads back."),
    "import": Row(TRANSFER, "transfer:import_", "Store what export has written: all of it or nothing."),
    "export-fs": Row(TRANSFER, "transfer:export_fs", "Write entries as a tree of files."),
    "import-fs": Row(TRANSFER, "transfer:import_fs", "Store a tree of files."),
    "run": Row(PROGRAMS, "running:run", "Run a program with entries as its environment variables."),
    "memo": Row(PROGRAMS, "memo:memo", "Run a slow command, or print the result that is kept of it."),
    "create-cache": Row(LIFETIMES, "lifetimes:create_cache", "Give a namespace a default lifetime."),
    "drop-cache": Row(LIFETIMES, "lifetimes:drop_cache", "End a namespace's default lifetime."),
    "ttl": Row(LIFETIMES, "lifetimes:ttl", "Print how many seconds an entry has left."),
    "expire": Row(LIFETIMES, "lifetimes:expire", "Give an entry a lifetime from now."),
    "persist": Row(LIFETIMES, "lifetimes:persist", "Let an entry live for ever."),
    "history": Row(HISTORY, "history:history", "List the changes of an entry."),
    "log": Row(HISTORY, "history:log", "List the changes in a place."),
    "blame": Row(HISTORY, "history:blame", "Tell who wrote a value."),
    "undo": Row(HISTORY, "history:undo", "Take back a change, or all that somebody changed."),
    "rescue": Row(RESCUE, "rescues:rescue", "List, show and drop what the pipe cache holds."),
    "backup": Row(UPKEEP, "upkeep:backup", "Back up databases, cursors and profiles, while they are in use."),
    "restore": Row(UPKEEP, "upkeep:restore", "Put a backup back; what it replaces is backed up first."),
    "doctor": Row(UPKEEP, "upkeep:doctor", "Look everything over, and say the cure where something is wrong."),
    "self-check": Row(UPKEEP, "selfcheck:self_check", "Check this installation."),
    "repair": Row(UPKEEP, "upkeep:repair", "Make a sound database of a damaged one, as far as it can be read."),
    "cursor": Row(CONTEXTS, "cursors:cursor", "Saved names for a database, a meta, a project and a namespace."),
    "profile": Row(CONTEXTS, "profiles:profile", "Saved contexts that can be pinned, and who may use them."),
    "user": Row(CONTEXTS, "users:user", "Passwords of users."),
    "login": Row(CONTEXTS, "users:login", "Open a session for a user who has a password."),
    "logout": Row(CONTEXTS, "users:logout", "End a session."),
    "where": Row(CONTEXTS, "about:where", "Tell which data a command would use, and why."),
    "shell": Row(SHELL, "shells:shell", "Functions and completion for bash, zsh and fish; pinned shells."),
    "admin": Row(ABOUT, "about:admin", "Upkeep: caches, and removing what has expired."),
    "features": Row(ABOUT, "streams:features", "List the optional parts, and whether they are on."),
    "help": Row(ABOUT, "about:help_", "Help on a verb, or on addresses, formats, errors or exit codes."),
    "version": Row(ABOUT, "about:version", "Print the version."),
}

RESCUE_VERBS = {
    "list": Row(RESCUE, "rescues:list_", "List what is there: name, age, time left, size, reason, address."),
    "show": Row(RESCUE, "rescues:show", "Tell all that is known of one of them."),
    "drop": Row(RESCUE, "rescues:drop", "Delete rescued content for good."),
}

XSTREAM_VERBS = {
    "fork": Row(STREAMS, "operators:fork", "Take tokens out of a stream: by namespace, prefix or pattern."),
    "merge": Row(STREAMS, "operators:merge", "Make one stream of several."),
    "gate": Row(STREAMS, "operators:gate", "Let a stream through whole, or not at all."),
    "transform": Row(STREAMS, "operators:transform", "Change the values, keys or quotes of a stream."),
}

CURSOR_VERBS = {
    "set": Row(CONTEXTS, "cursors:put", "Save a cursor."),
    "use": Row(CONTEXTS, "cursors:use", "Make a cursor the active one."),
    "active": Row(CONTEXTS, "cursors:active", "Print the active cursor's name."),
    "list": Row(CONTEXTS, "cursors:list_", "List the cursors."),
    "clear": Row(CONTEXTS, "cursors:clear", "Leave no cursor active."),
    "delete": Row(CONTEXTS, "cursors:delete", "Delete a cursor, not its data."),
}

PROFILE_VERBS = {
    "add": Row(CONTEXTS, "profiles:add", "Add a profile to one's own file."),
    "list": Row(CONTEXTS, "profiles:list_", "List the profiles."),
    "show": Row(CONTEXTS, "profiles:show_one", "Tell all that a profile says."),
    "remove": Row(CONTEXTS, "profiles:remove", "Remove a profile from one's own file."),
    "check": Row(CONTEXTS, "profiles:check", "Tell whether one may use a profile."),
}

USER_VERBS = {
    "add": Row(CONTEXTS, "users:add", "Give a user a password."),
    "passwd": Row(CONTEXTS, "users:passwd", "Give a user another password."),
    "list": Row(CONTEXTS, "users:list_", "List the users who have a password."),
    "remove": Row(CONTEXTS, "users:remove", "Take a user's password away."),
}

SHELL_VERBS = {
    "init": Row(SHELL, "shells:init", "Print what a shell's start needs: the function pronto, and completion."),
    "wrapper": Row(SHELL, "shells:wrapper", "Print a function that runs prontodb pinned."),
    "use": Row(SHELL, "shells:use", "Open a shell that is pinned to a profile, or pin this one."),
    "unload": Row(SHELL, "shells:unload", "Print what takes generated functions away again."),
    "templates": Row(SHELL, "checks:templates", "List what wrappers can be made from."),
    "check": Row(SHELL, "checks:check", "Check shell files and templates."),
    "doctor": Row(SHELL, "checks:doctor", "Tell whether the shell is set up, current, and not shadowed."),
}

ADMIN_VERBS = {
    "create-cache": VERBS["create-cache"],
    "drop-cache": VERBS["drop-cache"],
    "caches": Row(LIFETIMES, "lifetimes:caches", "List the namespaces with a default lifetime."),
    "share": Row(CONTEXTS, "lifetimes:share", "Let other users open the database."),
    "unshare": Row(CONTEXTS, "lifetimes:unshare", "Let nobody but the owner open the database."),
    "purge": Row(LIFETIMES, "lifetimes:purge", "Remove everything that has expired, in small steps."),
    "postgres": Row(CONTEXTS, "postgres:postgres", "Make and check a PostgreSQL database, and grant metas."),
}

POSTGRES_VERBS = {
    "init": Row(CONTEXTS, "postgres:init", "Make the schema."),
    "grant": Row(CONTEXTS, "postgres:grant", "Let a login use a meta."),
    "check": Row(CONTEXTS, "postgres:check", "Tell whether the server is durable and keeps tenants apart."),
}

GROUPS = {
    "rescue": RESCUE_VERBS,
    "xstream": XSTREAM_VERBS,
    "cursor": CURSOR_VERBS,
    "profile": PROFILE_VERBS,
    "user": USER_VERBS,
    "shell": SHELL_VERBS,
    "admin": ADMIN_VERBS,
}
"""The verbs that have verbs of their own."""

READERS = frozenset({"set", "append", "push", "import"})
"""The verbs that may read standard input as a value: what is piped to a wrong call of these is rescued."""
STREAM_READERS = frozenset({"stream", "xstream"})
"""Those that read it as a token stream: likewise, but they take no value as an argument."""
