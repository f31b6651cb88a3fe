#!/usr/bin/env bash
# Notes the processor time of every crate that cargo compiles, one line each: user and system seconds, wall seconds, kilobytes
# of memory, crate. Needs GNU time (Debian: time). Then `sort -rn target/rustc.log` says where the minutes go:
# RUSTC_WRAPPER=$PWD/xtask/timed-rustc.sh RUSTC_LOG_FILE=$PWD/target/rustc.log cargo test --no-run
set -euo pipefail
crate=unnamed
for ((i = 1; i < $#; i++)); do
    if [ "${!i}" = --crate-name ]; then
        next=$((i + 1))
        crate=${!next}
    fi
done
exec /usr/bin/time --append --output "$RUSTC_LOG_FILE" --format "%U %S %e %M $crate" "$@"
