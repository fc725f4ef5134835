#!/usr/bin/env bash
# A newcomer's first hour: clone, see the demo, extract from a PDF of one's own, open the proof, serve, ask, stop.
#   tests/outside/newcomer.sh [FOLDER]     in a fresh clone in FOLDER (about 2 GB), or in a temporary one
#   tests/outside/newcomer.sh --reuse      with the environment of this checkout: a quarter of a minute
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
reuse= kept=
case ${1:-} in
  --reuse) reuse=yes ;;
  -*) echo "newcomer.sh takes a folder or --reuse, not $1" >&2; exit 2 ;;
  *) kept=${1:-} ;;
esac
folder=${kept:-$(mktemp -d)}
mkdir -p "$folder"
server=

leave() {
  status=$?
  trap - EXIT
  if [ -n "$server" ]; then kill -KILL "$server" 2>/dev/null || true; fi
  if [ -z "$kept" ]; then rm -rf "$folder"; fi
  if [ $status -ne 0 ]; then echo "the newcomer is stuck: $step" >&2; fi
  exit $status
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

begin() { step=$1; printf '\n— %s (%d s)\n' "$1" "$SECONDS"; }

if [ -n "$reuse" ]; then
  project=$here
else
  begin "clone"
  project=$folder/structgen
  git clone --quiet "$here" "$project"
fi

begin "make demo"
timeout 1800 make --no-print-directory -C "$project" demo
bin=$project/.venv/bin

if [ -z "$reuse" ]; then
  begin "install what reads documents and what serves"
  "$bin/pip" --quiet install --constraint "$project/.ci/locks/test.txt" fpdf2
  (cd "$project" && "$bin/pip" --quiet install --constraint .ci/locks/test.txt --no-build-isolation --editable '.[documents,serve]')
fi

begin "extract from a PDF of one's own"
cd "$folder"
"$bin/python" - <<'PYTHON'
from fpdf import FPDF

page = FPDF()
page.add_page()
page.set_font("Helvetica", size=12)
for line in ("Invoice 4711", "Vendor: Nordlicht GmbH", "Total: 1234.50 EUR"):
    page.cell(0, 10, line, new_x="LMARGIN", new_y="NEXT")
page.output("mine.pdf")
PYTHON
cat > mine.json <<'JSON'
{"type": "object", "properties": {"vendor": {"type": "string"}, "total": {"type": "number"}}, "required": ["vendor", "total"]}
JSON
timeout 120 "$bin/structgen" extract -s mine.json mine.pdf --html proof.html | tee answer.json
grep -q Nordlicht answer.json
grep -q 1234.5 answer.json

begin "open the proof"
grep -q '</html>' proof.html
grep -q Nordlicht proof.html
browser=
for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null; then browser=$name; break; fi
done
if [ -z "$browser" ]; then
  echo "SKIPPED: there is no Chromium on this machine, so no browser has opened the proof"
else
  timeout --kill-after=5 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" \
    --enable-logging=stderr --dump-dom "file://$folder/proof.html" > seen.html 2> browser.log
  grep -q Nordlicht seen.html
  if grep CONSOLE browser.log; then echo "the proof complains in the console of $browser" >&2; exit 1; fi
  echo "$browser shows the value where it stands, and says nothing in its console"
fi

begin "serve"
port=$("$bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$bin/structgen" serve --port "$port" --log-level warning &
server=$!
url=http://127.0.0.1:$port
for _ in $(seq 600); do
  kill -0 "$server"  # the server has not ended
  if curl --silent --fail --max-time 2 --output ready.json "$url/ready"; then break; fi
  sleep 0.2
done
cat ready.json

begin "ask"
curl --silent --show-error --fail --max-time 180 "$url/v1/chat/completions" -H 'content-type: application/json' -d '{
  "messages": [{"role": "user", "content": "Vendor: Nordlicht GmbH, total 1234.50"}],
  "response_format": {"type": "json_schema", "json_schema": {"name": "invoice", "schema": {
    "type": "object", "properties": {"vendor": {"type": "string"}}, "required": ["vendor"]}}}}' | tee reply.json
grep -q Nordlicht reply.json

begin "stop"
kill -TERM "$server"
for _ in $(seq 300); do
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
if kill -0 "$server" 2>/dev/null; then echo "the server does not stop" >&2; exit 1; fi
code=0
wait "$server" || code=$?
server=
test "$code" -eq 0 -o "$code" -eq 143
echo "a newcomer gets this far in $SECONDS s"
