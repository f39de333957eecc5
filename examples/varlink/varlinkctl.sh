#!/bin/sh
# A service in shell hands a file over a live update with systemd's varlinkctl (262 or later, for --push-fd).
#
#   varlinkctl.sh SOCKET save       the old process: preserves a file without a name on tmpfs
#   varlinkctl.sh SOCKET restore    the new process, in the next kernel: takes the file back
#
# VARLINKCTL names another varlinkctl than that of PATH.
set -eu
socket=$1

# call METHOD PARAMETERS
call() { ${VARLINKCTL:-varlinkctl} call "$socket" "io.luo.Agent.$1" "$2"; }

case $2 in
save)
  file=$(mktemp /dev/shm/state.XXXXXX)
  exec 5<>"$file"
  rm "$file"
  echo "the state of a service with varlinkctl" >&5
  call CreateSession '{"name":"varlinkctl"}' >/dev/null
  ${VARLINKCTL:-varlinkctl} --push-fd=5 call "$socket" io.luo.Agent.PreserveFile \
    '{"session":"varlinkctl","token":"1","fileFd":0,"label":"state"}' >/dev/null
  ;;
restore)
  call RetrieveSession '{"name":"varlinkctl"}' >/dev/null
  # With --exec the descriptors of the answer are those from 3 on, as in socket activation. A file comes back at its old
  # position, so that it is opened anew for reading.
  state=$(${VARLINKCTL:-varlinkctl} --exec call "$socket" io.luo.Agent.RestoreFile \
    '{"session":"varlinkctl","token":"1","mark":false}' -- sh -c 'cat /proc/self/fd/3' | grep "^the state")
  [ "$state" = "the state of a service with varlinkctl" ]
  call MarkFile '{"session":"varlinkctl","token":"1","restored":true}' >/dev/null
  call FinishSession '{"name":"varlinkctl"}' >/dev/null
  echo "varlinkctl: $state"
  ;;
esac
