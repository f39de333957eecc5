# Under luo emulate and luo rehearse: a client of luo-agent takes part in an update of luo, with the agent on the machine's "Linux".
#   $ROOT the checkout, $D a private directory. On the real kernel, where a start of luo takes seconds:
#   ROOT=$PWD D=/run/story luo rehearse --kernel IMAGE -- bash tests/agent/luod/story.sh
set -e
mkdir -p -m 700 "$D"
export LUO_BACKEND=linux LUO_SOCKET=$D/agent.sock
luo() { deno run -A --quiet $ROOT/main.ts "$@"; }
case $LUO_BOOT in
1)
  luo agent run --luod-socket $D/luod.sock 2>$D/agent.1.log &
  python3 $ROOT/tests/agent/luod/client.py $D/luod.sock vm subscribe "made in boot 1" >$D/client.1 2>&1 &
  until grep -q subscribed $D/client.1; do sleep 0.1; done
  until luo update state >/dev/null 2>&1; do sleep 0.1; done
  luo update run "$LUO_KERNEL" --initrd "$LUO_INITRD" --command-line "$LUO_CMDLINE" --blackout 240
  echo "no kexec"; cat $D/agent.1.log $D/client.1; exit 1 ;;
2)
  luo agent run --luod-socket $D/luod.sock 2>$D/agent.2.log &
  python3 $ROOT/tests/agent/luod/client.py $D/luod.sock vm claim
  until luo update state --json | grep -q '"state":"normal"'; do sleep 0.3; done
  luo update state
  luo session list
  luo losses
  exit 0 ;;
esac
