#!/usr/bin/env bash
# A newcomer's first hour: clone, see the demo, extract from a PDF of one's own, open the proof, serve, ask, stop.
#   tests/outside/newcomer.sh [FOLDER]        a fresh clone of this repository is made there; about 2 GB
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$(mktemp -d)}
git clone --quiet "$here" "$folder/structgen"
cd "$folder/structgen"
make demo
.venv/bin/pip --quiet install 'fpdf2>=2.8' '.[documents,serve]'

.venv/bin/python - <<'PYTHON'
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
.venv/bin/structgen extract -s mine.json mine.pdf --html proof.html | tee answer.json
grep -q Nordlicht answer.json
grep -qi '<html' proof.html

.venv/bin/structgen serve --port 8765 &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
curl --silent --fail --retry 60 --retry-connrefused --retry-delay 1 localhost:8765/ready
curl --silent --fail localhost:8765/v1/chat/completions -H 'content-type: application/json' -d '{
  "messages": [{"role": "user", "content": "Vendor: Nordlicht GmbH, total 1234.50"}],
  "response_format": {"type": "json_schema", "json_schema": {"name": "invoice", "schema": {
    "type": "object", "properties": {"vendor": {"type": "string"}}, "required": ["vendor"]}}}}' | tee reply.json
grep -q Nordlicht reply.json
kill -TERM $server
wait $server || test $? -eq 143
echo
echo "a newcomer gets this far"
