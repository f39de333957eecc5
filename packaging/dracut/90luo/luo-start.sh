#!/bin/sh
# Starts the agent before the root file system is mounted. When systemd changes to the root file system, it kills all processes but
# those whose name begins with @ (systemd's ROOT_STORAGE_DAEMONS): an agent that holds sessions must live.

if [ -x /usr/bin/luo ] && [ -c /dev/liveupdate ]; then
    mkdir -p -m 0700 /run/luo
    ( exec -a @luo /usr/bin/luo agent run </dev/null >/run/luo/agent.sock.log 2>&1 ) &
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        ! luo agent status >/dev/null 2>&1 || break
        sleep 0.5
    done
    luo agent status >/dev/null 2>&1 || warn "luo: no agent; sessions wait in the kernel"
fi
