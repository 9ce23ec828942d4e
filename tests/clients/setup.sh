#!/bin/sh
# Installs what the clients and the validators need, below the folder that is given, and from Debian's packages what is
# not there: Node.js, Python, git, curl, wget and Chromium.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"

missing=
for program in node:nodejs npm:npm python3:python3-venv git:git curl:curl wget:wget chromium:chromium; do
  command -v "${program%%:*}" >/dev/null || missing="$missing ${program##*:}"
done
if [ -n "$missing" ]; then
  apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

cp "$here"/package.json "$here"/requirements.txt .
npm install --no-package-lock --no-audit --no-fund --loglevel=error
[ -d venv ] || python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
