#!/usr/bin/env bash
# The main job, end to end, on real files: store, rescue, copy, compare, list, expire. Runs in a home of its own and says what it shows.
# shellcheck disable=SC2016 # the lines in single quotes are for the shell that runs them
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" XDG_DATA_HOME="$work/data" XDG_STATE_HOME="$work/state" XDG_CONFIG_HOME="$work/config"
unset PRONTO_DB PRONTO_PROJECT PRONTO_NAMESPACE
cd "$work"

number=0
step() {
    number=$((number + 1))
    printf '\n%d. %s\n' "$number" "$1"
}
show() {
    printf '   $ %s\n' "$1"
}
fail() {
    printf '   FAILED: %s\n' "$1" >&2
    exit 1
}
# Runs a line, shows it, and holds it to an exit status.
try() {
    local wanted=$1 status=0
    show "$2"
    bash -c "$2" >out 2>err || status=$?
    sed 's/^/   /' out err
    [ "$status" = "$wanted" ] || fail "exit status $status, expected $wanted"
}
rescued() {
    sed -n 's/.*cached as: //p' err
}

cat >session.md <<'NOTE'
# Session 12

- what worked: `prontodb copy` after the typo
- left to do: the *second* tenant; "quotes", $dollars and back\slashes
NOTE
python3 - <<'PNG'
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + b"".join(bytes((x * 2, y * 2, 255 - x)) for x in range(128)) for y in range(128))
with open("image.png", "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 128, 128, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PNG
head -c 104857600 /dev/urandom >large.bin

printf 'ProntoDB: %s, in an empty home.\n' "$(prontodb --version)"

step 'Files go in through a pipe and come out the same, byte for byte: a note, a picture, 100 MB.'
for file in session.md image.png large.bin; do
    try 0 "cat $file | prontodb set work.files.${file%.*}"
    try 0 "prontodb get work.files.${file%.*} | cmp - $file && echo same"
done

step 'A typed value may have a short address; it is completed.'
try 0 'prontodb set config.debug true'
try 0 'prontodb get default.config.debug'

step 'A pipe to a bad address is not lost: exit status 4, and the content is in the pipe cache.'
try 4 'cat session.md | prontodb set invalid...address'
key=$(rescued)
try 0 "prontodb get $key | cmp - session.md && echo same"

step 'So a script that deletes its source on success does not delete it now.'
cp session.md only-copy.md
try 4 'cat only-copy.md | prontodb set notes/today && rm only-copy.md'
try 0 'ls only-copy.md'

step 'One copy brings it home, and takes it out of the cache.'
try 0 "prontodb copy $key work.notes.session12"
try 0 'prontodb get work.notes.session12 | cmp - session.md && echo same'
try 2 "prontodb get $key"

step 'The picture and the 100 MB, sent to bad addresses, are rescued just the same.'
for file in image.png large.bin; do
    try 4 "cat $file | prontodb set work..${file%.*}"
    try 0 "prontodb copy $(rescued) work.saved.${file%.*} && prontodb get work.saved.${file%.*} | cmp - $file && echo same"
done

step 'What else waits in the cache, and why.'
try 0 'prontodb rescue list'

step 'A database that cannot take it is no loss either: the content goes to a file, under the same kind of name.'
printf 'this is no database\n' >broken.db
try 4 'cat session.md | prontodb set a.b.c --database ./broken.db'
try 0 "prontodb get $(rescued) --database ./broken.db | cmp - session.md && echo same"

step 'Listings: names, values, and formats that other programs read.'
try 0 'prontodb set work.config.host db.example && prontodb set work.config.motto "it'\''s \$HOME"'
try 0 'prontodb keys work.config; prontodb nss'
try 0 'prontodb scan work.config; prontodb scan work.config --json'
try 0 'eval "$(prontodb scan work.config --sh)"; echo "$host: $motto"'
if command -v zsh >/dev/null; then
    try 0 "zsh -fc 'eval \"\$(prontodb scan work.config --sh)\"; echo \"\$host: \$motto\"'"
fi

step 'A loop keeps its standard input: set A V does not read it.'
try 0 'printf "%s\n" one two three | while read -r x; do prontodb set work.loop.$x v; done; prontodb keys work.loop'

step 'Two users have two files, two tenants in one file see nothing of each other, and a pinned call cannot leave its pin.'
try 0 'prontodb set a.b.c hers --user alice; prontodb set a.b.c acmes --meta acme'
try 2 'prontodb get a.b.c --user bob'
try 2 'prontodb get a.b.c --meta globex'
try 6 "prontodb get a.b.c --user bob --database $XDG_DATA_HOME/prontodb/main_alice.db"
try 0 'PRONTO_FORCE_META=acme prontodb get -N a.b.c'
try 6 'PRONTO_FORCE_META=acme prontodb get a.b.c --meta globex'

step 'Entries expire: here a namespace with a default lifetime of three seconds.'
try 0 'prontodb create-cache work.cache 3 && prontodb set work.cache.token secret && prontodb get work.cache.token'
sleep 5
try 2 'prontodb get work.cache.token'

step 'Eight processes at once, a hundred writes each: all there.'
try 0 'for p in 1 2 3 4 5 6 7 8; do (for i in $(seq 100); do prontodb set work.many.$p-$i v || exit 1; done) & done; wait; prontodb keys work.many | wc -l'
[ "$(tr -d ' ' <out)" = 800 ] || fail 'not all of the 800 writes are there'

printf '\nAll %d steps did what they say.\n' "$number"
