#!/bin/sh
# Counts what the data plane may not do for each event: retain, release, allocate, free, check exclusivity.
#
# Runs Braid (near and far end in one process) under callgrind with steady traffic, once short and once long, and divides
# the difference of the calls by the difference of the system calls that move bytes, so that start and end cancel out.
# Fails when a count is not zero. Needs valgrind, iproute2 and Swift; about two minutes. Usage: Benchmarks/hot-path.sh
# BRAID names another binary; it must not be stripped.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for tool in valgrind unshare ip ss awk strip; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: apt install valgrind util-linux iproute2 gawk binutils" >&2; exit 71; }
done
if [ -z "${BRAID_HOT_PATH_INSIDE:-}" ]; then
    braid=${BRAID:-}
    if [ -z "$braid" ]; then
        # With the shared runtime, whose functions callgrind can name.
        swift build -c release --package-path "$here/.." --scratch-path "$here/../.build/hot-path" --product braid
        braid=$here/../.build/hot-path/release/braid
    fi
    swift build -c release --package-path "$here" --product braid-load
    load=$(swift build -c release --package-path "$here" --show-bin-path)/braid-load
    export BRAID_HOT_PATH_INSIDE=1 BRAID="$braid" BRAID_LOAD="$load"
    if [ "$(id -u)" = 0 ]; then exec unshare -n --fork --kill-child "$0"; fi
    exec unshare -Urn --fork --kill-child "$0"
fi

ip link set lo up
work=$(mktemp -d)
daemon=
trap 'if [ -n "$daemon" ]; then kill -KILL "$daemon" 2>/dev/null || :; fi; rm -rf "$work"' EXIT
# Debian's valgrind cannot read today's debug information; the names of functions are enough.
strip --strip-debug -o "$work/braid" "$BRAID"
cat >"$work/braid.toml" <<EOF
[daemon]
threads = 1
log-connections = false
[[relay]]
name = "near"
listen = "tcp://127.0.0.1:2000"
upstream = "mptcp://127.0.0.1:2001"
[[relay]]
name = "far"
listen = "mptcp://127.0.0.1:2001"
upstream = "tcp://127.0.0.1:2002"
EOF

# calls KIND CONNECTIONS SIZE SECONDS: runs it and writes "function calls" lines to $work/counts.
calls() {
    rm -f "$work/callgrind.out"
    valgrind --tool=callgrind --callgrind-out-file="$work/callgrind.out" --fair-sched=yes --log-file="$work/valgrind.log" \
        "$work/braid" run --config "$work/braid.toml" 2>"$work/braid.log" &
    daemon=$!
    tries=0
    until [ "$(ss -Hltn 'sport = :2000 or sport = :2001' | wc -l)" -ge 2 ]; do
        tries=$((tries + 1))
        if [ $tries -gt 600 ] || ! kill -0 "$daemon" 2>/dev/null; then cat "$work/braid.log" "$work/valgrind.log" >&2; exit 1; fi
        sleep 0.1
    done
    "$BRAID_LOAD" "$1" tcp:127.0.0.1:2002 tcp:127.0.0.1:2000 "$2" "$3" 1 "$4" >/dev/null
    kill -TERM "$daemon"
    wait "$daemon" || { cat "$work/braid.log" >&2; exit 1; }
    daemon=
    awk '
        match($0, /^c?fn=\([0-9]+\)/) {
            id = substr($0, RSTART, RLENGTH); sub(/^c?fn=/, "", id)
            rest = substr($0, RLENGTH + 2)
            if (rest != "") { sub(/\x27[0-9]+$/, "", rest); name[id] = rest }
            if ($0 ~ /^cfn=/) called = id
        }
        /^calls=/ { split(substr($0, 7), field, " "); count[called] += field[1] }
        END { for (id in count) print name[id], count[id] }
    ' "$work/callgrind.out" | sort >"$work/counts"
}

failed=0
# check NAME KIND CONNECTIONS SIZE
check() {
    calls "$2" "$3" "$4" 2
    mv "$work/counts" "$work/short"
    calls "$2" "$3" "$4" 10
    awk -v title="$1" '
        function forbidden(f) {
            return f ~ /^(swift_(retain|release|bridgeObjectRetain|bridgeObjectRelease|allocObject|slowAlloc|slowDealloc|beginAccess|endAccess|retain_n|release_n|unknownObjectRetain|unknownObjectRelease|allocBox|initStackObject|setDeallocating|once|dynamicCast)|malloc|calloc|realloc|free|posix_memalign|aligned_alloc)$/
        }
        function moves(f) { return f ~ /^(recv|send|splice|linux_receive|linux_send|linux_splice)$/ }
        NR == FNR { short[$1] += $2; next }
        { long[$1] += $2 }
        END {
            for (f in long) if (moves(f) && f !~ /^linux_/) events += long[f] - short[f]
            if (!events) for (f in long) if (moves(f)) events += long[f] - short[f]
            printf "%s: %d more calls that move bytes", title, events
            for (f in long) if (moves(f)) printf ", %s %d", f, long[f] - short[f]
            print ""
            if (events < 1000) { print "  too few: the traffic did not run"; exit 1 }
            for (f in long) if (forbidden(f) && long[f] != short[f]) {
                each = (long[f] - short[f]) / events
                # Start, end and what a timer does each second differ a little and are not per event.
                bad = each > 0.001 && long[f] - short[f] > 50
                printf "  %-26s %8d more calls, %.4f for each%s\n", f, long[f] - short[f], each, bad ? "  NOT ZERO" : ""
                worse += bad
            }
            if (!worse) print "  zero retain, release, allocation and exclusivity checks for each event"
            exit worse > 0
        }
    ' "$work/short" "$work/counts" || failed=1
}

check "bulk, client to server, 1 connection" up 1 0
check "bulk, server to client, 4 connections" down 4 0
check "ping-pong of 64 B, 20 connections" ping-pong 20 64
check "ping-pong of 16 KiB, 20 connections" ping-pong 20 16384
exit $failed
