#!/bin/sh
# Checks the chain of a segment with nothing but a shell: sh by-hand.sh FILE.ndjson
# The `prev` of each line must be the SHA-256 of a zero byte followed by the line before, without its line feed.
set -eu
lines=$(wc -l < "$1")
n=1
while [ "$n" -lt "$lines" ]; do
    hash=$( (printf '\0'; sed -n "${n}p" "$1" | tr -d '\n') | sha256sum | cut -d ' ' -f 1)
    if ! sed -n "$((n + 1))p" "$1" | grep -q "\"prev\":\"$hash\""; then
        echo "FAIL: $1: line $((n + 1)) does not continue line $n"
        exit 1
    fi
    n=$((n + 1))
done
echo "PASS: $1: $lines lines"
