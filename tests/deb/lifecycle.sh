#!/bin/bash
# The life of the package, in the system of chroot.sh: installed, upgraded while a session is held, removed, purged.
set -euo pipefail
export LUO_BACKEND=model DEBIAN_FRONTEND=noninteractive

say() { echo "--- $*"; }
fail() { echo "FAILED: $*"; exit 1; }
state() { dpkg-query -W -f '${db:Status-Status} ${Version}' luo 2>/dev/null || true; }

say "installed"
dpkg -i /debs/luo_0.1.0-1_*.deb
[ "$(state)" = "installed 0.1.0-1" ] || fail "not installed"
[ "$(type -P luo)" = /usr/bin/luo ]
luo --version
[ -d /etc/luo/participants.d ] || fail "no directory for participants"
# The settings can be read as they are, and they name a kernel that this system may not have.
case $(luo kexec check 2>&1 || true) in *vmlinuz*) ;; *) fail "the settings are not read" ;; esac
man -w luo luo-session luo.conf luo-agent.service >/dev/null || fail "a page is missing"

say "upgraded while a session is held"
luo session create vm1
echo "some bytes" | luo file preserve vm1 --stdin --token 1 --digest
pid=$(luo agent status --json | jq .agent.pid)
echo "# changed by the administrator" >>/etc/luo/luo.conf
dpkg -i /debs/luo_0.1.0-2_*.deb
[ "$(state)" = "installed 0.1.0-2" ] || fail "not upgraded"
[ "$(luo agent status --json | jq .agent.pid)" = "$pid" ] || fail "the agent was restarted"
[ "$(luo session list --json | jq -r '.sessions[].name')" = vm1 ] || fail "the session is lost"
grep -q "changed by the administrator" /etc/luo/luo.conf || fail "the settings are lost"

say "not removed while a session is held"
! dpkg -r luo >/run/out 2>&1 || fail "removed"
cat /run/out
grep -q "luo: cannot be removed: sessions are held, or wait in the kernel: 1" /run/out || fail "no reason"
[ "$(state)" = "installed 0.1.0-2" ] || fail "half removed: $(state)"
luo session show vm1

luo put some/key <<<"a value"

say "the session outlives the upgrade by a live update"
cp /debs/kernel /run/kernel
luo kexec load /run/kernel --command-line "liveupdate=on kho=on"
luo kexec exec
! dpkg -r luo >/run/out 2>&1 || fail "removed while a session waits in the kernel"
grep -q "sessions are held, or wait in the kernel: 1" /run/out || fail "no reason"
luo session retrieve vm1
[ "$(luo file restore vm1 1 --stdout)" = "some bytes" ] || fail "other bytes"
! dpkg -r luo >/run/out 2>&1 || fail "removed while a session is retrieved"
luo session finish vm1
! dpkg -r luo >/run/out 2>&1 || fail "removed while there are values"
grep -q "the agent holds values" /run/out || fail "no reason"
[ "$(luo get some/key)" = "a value" ] || fail "the value is lost"
luo drop some/key

say "removed"
dpkg -r luo
[ "$(state)" = "config-files 0.1.0-2" ] || fail "not removed: $(state)"
[ -e /etc/luo/luo.conf ] && [ ! -e /usr/bin/luo ] && [ ! -e /usr/share/man/man1/luo.1.gz ] || fail "wrong files"
! pgrep -f "^[^ ]*luo agent run" || fail "the agent runs on"

say "purged"
dpkg -P luo
[ -z "$(state)" ] && [ ! -e /etc/luo ] || fail "something is left: $(state)"
for file in $(dpkg-deb --fsys-tarfile /debs/luo_0.1.0-2_*.deb | tar -t | grep -v '/$'); do
  [ ! -e "/$file" ] || fail "$file is left"
done
say "done"
