# Steps of the scripts. luo is started seldom: a start takes seconds here.
AGENT=/run/luo/agent.sock

say() { echo "TEST: $*"; }
fail() {
  say "FAILED: $*"
  systemctl status luo-agent --no-pager -l -n 40 || true
  exit 1
}

# One request a line, all by one luo; every one must succeed. On a busy machine the agent takes long to start.
batch() {
  status
  sed 's/\]}$/,"--timeout","300"]}/' | luo batch >/run/batch.out 2>&1 || true
  cat /run/batch.out
  ! grep -q '"exit":[1-9]' /run/batch.out || fail "a request of luo batch"
}

# The agent's status in /run/status; starts the agent by its socket.
status() {
  for _ in $(seq 60); do
    ! varlinkctl call --timeout=300 $AGENT io.luo.Agent.GetStatus '{}' >/run/status 2>/run/status.err || return 0
    cat /run/status.err
    sleep 1
  done
  fail "the agent does not answer"
}

# sessions NAME:STATE:FOUND...: exactly these, FOUND "-" for none, and no losses.
sessions() {
  status
  python3 - "$@" <<'P' || { cat /run/status; fail "sessions: wanted $*"; }
import json, sys
status = json.load(open("/run/status"))["status"]
there = sorted(f"{s['name']}:{s['state']}:{s.get('found', '-')}" for s in status["sessions"])
print("TEST: sessions", there, "losses", status["losses"], "store", status["agent"].get("store"))
sys.exit(there != sorted(sys.argv[1:]) or len(status["losses"]) > 0)
P
}

# systemd_shows KEXECS UNIT:ENTRY:SESSION...: these are in luo status, and nothing is unknown or missing.
systemd_shows() {
  luo status --json --timeout 300 >/run/shown || fail "luo status"
  python3 - "$@" <<'P' || { cat /run/shown; fail "luo status: wanted $*"; }
import json, sys
systemd = json.load(open("/run/shown"))["systemd"]
there = [f"{s['unit']}:{e['name']}:{e['session']}" for s in systemd["stores"] for e in s["entries"] if e["kind"] == "session"]
print("TEST: systemd", systemd["version"], systemd["kexecCount"], there)
wrong = systemd["unknown"] + systemd["missing"] + [one for one in sys.argv[2:] if one not in there]
sys.exit(systemd["kexecCount"] != int(sys.argv[1]) or len(wrong) > 0)
P
}

# refused COMMAND...: it fails, and its words are in /run/refused.
refused() {
  ! "$@" >/run/refused 2>&1 || fail "not refused: $*"
  cat /run/refused
}

# restored NAME TOKEN TEXT: retrieves the session, restores and compares the file, finishes the session.
restored() {
  rm -f /run/out
  printf '%s\n' "{\"argv\":[\"session\",\"retrieve\",\"$1\"]}" \
    "{\"argv\":[\"file\",\"restore\",\"$1\",\"$2\",\"--to\",\"/run/out\"]}" \
    "{\"argv\":[\"session\",\"finish\",\"$1\"]}" | batch
  [ "$(cat /run/out)" = "$3" ] || fail "file $2 of $1 is: $(cat /run/out)"
  say "restored $1"
}

# plain: the memfd of the other service is in its store again.
plain() {
  systemctl start svc
  grep -q "contents: plain memfd of svc, first" /run/svc.log || { cat /run/svc.log; fail "the plain memfd of svc"; }
  say "svc has its memfd"
}
