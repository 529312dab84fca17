# Put in front of a page's commands by docs-commands.ts. The commands below it are the page's, word for word, except
# that the default port is replaced by a free one.
set -euo pipefail

platform_pid=''

stop_platform() {
  if [ -n "$platform_pid" ]; then
    kill -TERM -- "-$platform_pid" 2>/dev/null || true
    wait "$platform_pid" 2>/dev/null || true
    platform_pid=''
  fi
}
trap stop_platform EXIT

# What a reader does in a second terminal: start, wait until the address answers, go on. A second start on one page
# means that the reader has pressed Ctrl-C first.
start_platform() {
  stop_platform
  : > "$DOCS_LOG"
  setsid npm start > "$DOCS_LOG" 2>&1 &
  platform_pid=$!
  for _ in $(seq 1 240); do
    if grep -q "http://[^ ]*:$PORT" "$DOCS_LOG" && (: < "/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
      cat "$DOCS_LOG"
      return 0
    fi
    if ! kill -0 "$platform_pid" 2>/dev/null; then break; fi
    sleep 0.25
  done
  cat "$DOCS_LOG"
  echo 'npm start: no address came up within 60 s'
  return 1
}

npm() {
  if [ "$*" = install ]; then
    # node_modules were copied with the tree (a download per page would test the network); what npm runs is run.
    command npm run --silent postinstall
  elif [ "$*" = start ]; then
    start_platform
  elif printf '%s\n' "$DOCS_COVERED" | grep -qxF -- "npm $*"; then
    echo "npm $*: a step of its own in .ci/run"
  else
    command npm "$@"
  fi
}

git() {
  if [ "${1-}" = clone ]; then
    ln -sfn "$DOCS_TREE" "$(basename "${!#}" .git)"
  else
    command git "$@"
  fi
}
