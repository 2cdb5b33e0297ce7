#!/usr/bin/env bash
# Ask a deployed app for its health until it is well, and look at two doors without a token.
# usage: smoke-test.sh https://host/api
set -euo pipefail

url=$1
attempts=20
pause_seconds=15

status_of() {
  curl --silent --show-error --max-time 30 --output "$2" --write-out '%{http_code}' "$1"
}

body=$(mktemp)
trap 'rm -f "$body"' EXIT
for attempt in $(seq "$attempts"); do
  status=$(status_of "$url/health" "$body" || true)
  if [ "$status" = 200 ]; then
    break
  fi
  echo "health answered ${status:-nothing} (attempt $attempt of $attempts)"
  if [ "$attempt" = "$attempts" ]; then
    cat "$body"  # names of settings at fault, never values
    exit 1
  fi
  sleep "$pause_seconds"
done
cat "$body"
echo

status=$(status_of "$url/openapi.json" "$body")
[ "$status" = 200 ] || { echo "openapi.json answered $status"; exit 1; }

status=$(status_of "$url/operations/cases" "$body")
[ "$status" = 401 ] || { echo "the operations API answered $status without a token"; exit 1; }

echo "the app is well"
