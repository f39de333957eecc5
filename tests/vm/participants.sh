#!/bin/sh
# In the virtual machine: luo update with two participants on the real kernel. First one says no, then all of it with digests.
#   deno run -A tests/vm/run.ts --timeout 400 -- sh tests/vm/participants.sh -- sh tests/vm/participants.sh
set -e
# LUO: another command that starts luo. The single executable starts in half the time.
luo() { ${LUO:-deno run -A --quiet main.ts} "$@"; }
die() { echo "boot $LUO_BOOT: $1"; cat /tmp/agent.log; exit 1; }

export LUO_PARTICIPANTS=/tmp/participants
mkdir -p "$LUO_PARTICIPANTS"
cat >"$LUO_PARTICIPANTS/cache" <<'PARTICIPANT'
#!/bin/sh
case $1 in
prepare) luo file preserve "$LUO_SESSION" --from /share/boot/kernel --token 1 --seal ;;
freeze) echo "${LUO_ANSWER:-no answer}" | luo file preserve "$LUO_SESSION" --stdin --token 2 ;;
updated)
  luo file restore "$LUO_SESSION" 1 --to /tmp/kernel && cmp /tmp/kernel /share/boot/kernel &&
    luo file restore "$LUO_SESSION" 2 --to /tmp/state && [ -s /tmp/state ]
  ;;
esac
PARTICIPANT
cat >"$LUO_PARTICIPANTS/storage" <<'PARTICIPANT'
#!/bin/sh
[ "$1" != freeze ] || [ ! -e /tmp/busy ] || { echo "the storage is busy" >&2; exit 1; }
PARTICIPANT
echo '{"after":["cache"],"seconds":{"freeze":240,"cancel":240}}' >"$LUO_PARTICIPANTS/storage.json"
echo '{"seconds":{"freeze":240,"cancel":240,"updated":600}}' >"$LUO_PARTICIPANTS/cache.json"
chmod +x "$LUO_PARTICIPANTS/cache" "$LUO_PARTICIPANTS/storage"
update() {
  luo update run /share/boot/kernel --initrd /share/boot/initrd --reuse-cmdline --append "luo.boot=2" \
    --blackout 300 --digest --json
}

mkdir -p -m 700 /run/luo
luo agent run 2>/tmp/agent.log &
until [ -S /run/luo/agent.sock ]; do sleep 0.2; done
case $LUO_BOOT in
1)
  touch /tmp/busy
  if update >/tmp/answer 2>/tmp/error; then die "the update took place"; else code=$?; fi
  [ $code = 4 ] || die "exit $code: $(cat /tmp/error)"
  grep -q '"reasons":\["the storage is busy"\]' /tmp/error || die "$(cat /tmp/error)"
  grep -qx normal /run/luo/agent.sock.update || die "the state is not normal"
  luo session list --json | grep -q '"sessions":\[\]' || die "sessions are left"
  [ "$(cat /sys/kernel/kexec_loaded)" = 0 ] || die "an image is left"
  rm /tmp/busy
  update || die "no update"
  ;;
2)
  until grep -qx normal /run/luo/agent.sock.update; do sleep 0.5; done
  luo update state --json >/results/update.json
  grep -q '"outcome":"done"' /results/update.json || die "$(cat /results/update.json)"
  [ "$(grep -o '"verdict":"same"' /results/update.json | wc -l)" = 2 ] || die "$(cat /results/update.json)"
  luo status --json | grep -q '"losses":\[\]' || die "something is lost"
  cat /tmp/agent.log
  ;;
esac
