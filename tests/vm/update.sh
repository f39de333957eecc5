#!/bin/sh
# In the virtual machine: what an operator does and sees, boot after boot. tests/vm/update_main.ts starts it and judges the
# `status` it leaves in /results; exit codes and words are judged here. Three stories, each in a machine of its own:
#   images   every image that is refused
#   upgrade  7.2.12 to 7.3.4 and back with everything kept
#   others   other programs' kexecs, killed agents, a next kernel without LUO, and one that cannot read the handover
story=$1
case $(uname -m) in
aarch64)
  # There is one image of arm64.
  old=/share/kernels/Image-7.3.4-luo-arm64 new=$old old_release=7.3.4 LUO=/share/checkout/dist/luo-aarch64
  console=ttyAMA0 no_kexec_load="the image of arm64 has no kexec_load(2)" corrupt="no arm64 Image header .EINVAL"
  ;;
*)
  old=/share/kernels/bzImage-7.2.12-luo new=/share/kernels/bzImage-7.3.4-luo old_release=7.2.12
  LUO=/share/checkout/dist/luo console=ttyS0 no_kexec_load= corrupt=ENOEXEC
  ;;
esac
initrd=/share/boot/initrd
data=/share/boot/data

# The single executable: it starts in half the time, and here every start counts.
export LUO
luo() { $LUO "$@"; }

# check NAME CODE WORDS COMMAND...: it ends with this code and says these words (a regular expression).
check() {
  name=$1 code=$2 words=$3 got=0
  shift 3
  "$@" >/tmp/said 2>&1 || got=$?
  cat /tmp/said
  failed=
  [ "$got" = "$code" ] || failed="exit $got, expected $code"
  [ -z "$words" ] || grep -Eq -- "$words" /tmp/said || failed="$failed; it does not say: $words"
  echo "{\"name\":\"$story, boot $LUO_BOOT: $name\",\"failed\":\"$(echo "$failed" | tr -d '\\"')\"}" >>/results/checks.jsonl
  # No program of this boot can save the kernel's log once the kexec has begun.
  dmesg >"/results/dmesg.$LUO_BOOT.txt"
  echo "${failed:-ok} ($story, boot $LUO_BOOT: $name)"
}

# line WORDS...: a request of luo batch. No word has a quote or a backslash in it.
line() {
  words=$1
  shift
  for word; do words="$words\",\"$word"; done
  echo "{\"id\":\"$id\",\"argv\":[\"$words\"]}"
}
id=-

# all NAME WORDS: the requests on standard input, by one luo, since a start takes seconds here. All must succeed.
all() { check "$1" 0 "$2" luo batch --fail-fast; }

# answered NAME CODE WORDS: what /tmp/answers of luo batch has for the request with this id.
answered() { check "$1" 0 "\"exit\":$2,.*$3" grep -F "\"id\":\"$1\"" /tmp/answers; }

# skip NAME WHY: this kernel cannot run the check.
skip() {
  echo "{\"name\":\"$story, boot $LUO_BOOT: $1\",\"failed\":\"\",\"skipped\":\"$2\"}" >>/results/checks.jsonl
  echo "not run: $2 ($story, boot $LUO_BOOT: $1)"
}

status() { luo status --json >"/results/status.$1.json"; }

other() { deno run --quiet --allow-ffi tests/vm/update_kexec.ts "$@"; }

# The kernel from a copy that is overwritten once it is loaded, and a second initramfs with one more file.
load() {
  cp "$1" /tmp/next
  (cd /tmp && echo "from the second initrd" >second-initrd && echo second-initrd | busybox cpio -o -H newc >second.cpio)
  luo kexec load /tmp/next --initrd $initrd --initrd /tmp/second.cpio --reuse-cmdline \
    --append "luo.boot=$((LUO_BOOT + 1)) quiet"
  said=$?
  head -c 100000 /dev/urandom >/tmp/next
  return $said
}

# The same as another program does it.
load_as_other() { other load "$1" $initrd "$(cat /proc/cmdline) luo.boot=$((LUO_BOOT + 1))"; }

kill_agent() {
  pid=$(cat /run/luo/agent.sock.lock)
  kill -9 "$pid"
  while [ -d "/proc/$pid" ]; do usleep 10000; done
}

# A session that is preserved and whose end is looked at.
keep_lines() {
  line session create "$1"
  line file preserve "$1" --from $data --token 1 --digest
}
keep() { keep_lines "$1" | luo batch --fail-fast; }

came_back() { cmp "$1/disk" $data && [ "$(cat "$1/memory")" = "state of a program" ]; }

images() {
  id="no image" line kexec exec
  id="no image, forced" line kexec exec --force
  id="corrupt image" line kexec load /tmp/noise --reuse-cmdline
  id="packed image, unpacked by luo" line kexec load /tmp/packed --initrd $initrd --reuse-cmdline
  id="the packed image is unloaded" line kexec unload
  id="empty initrd" line kexec load $new --initrd /tmp/empty --reuse-cmdline
  id="image that is being written" line kexec load /tmp/written --reuse-cmdline
  id="truncated image" line kexec load /tmp/half --reuse-cmdline
  id="no liveupdate=on" line kexec load $new --command-line kho=on
}

wrong_images() {
  head -c 100000 /dev/urandom >/tmp/noise
  head -c 3000000 $new >/tmp/half
  check "no agent" 3 "luo agent start" luo status
  check "what this kernel would hand over" 0 "kho-v4, map at 0x" luo kho show
  check "nothing was handed over" 3 "ENOENT" luo kho show --in
  check "the agent starts" 0 "Agent started" luo agent start --timeout 300
  gzip -c $new >/tmp/packed
  : >/tmp/empty
  cp $new /tmp/written
  exec 8>>/tmp/written
  images | luo batch >/tmp/answers
  exec 8>&-
  answered "no image" 1 "no image is loaded"
  answered "no image, forced" 1 "EINVAL"
  answered "corrupt image" 1 "$corrupt"
  answered "packed image, unpacked by luo" 0 "7.3.4-luo"
  answered "the packed image is unloaded" 0 "/tmp/packed"
  answered "empty initrd" 1 "Cannot load initrd ..?/tmp/empty..?: the file is empty"
  answered "image that is being written" 1 "open for writing .ETXTBSY"
  answered "truncated image" 4 "cut off"
  answered "no liveupdate=on" 4 "lacks liveupdate=on"
  if [ -n "$no_kexec_load" ]; then
    skip "kexec_load by another program" "$no_kexec_load"
    return
  fi
  check "kexec_load by another program" 0 "" other load-old
  check "its image is not trusted" 4 "kexec_load" luo kexec exec
  check "and is unloaded" 0 "another program had loaded" luo kexec unload
  check "once only" 0 "Nothing was loaded" luo kexec unload
}

again() {
  {
    line session retrieve example
    line file restore example 1 --to /tmp/disk
    line file restore example 2 --to /tmp/pipe
  } | all "retrieve and restore" '"token":"3".*"state":"waiting"'
  $LUO file restore example 3 --exec --become -- sleep 600 &
  holder=$!
  until [ "$(readlink /proc/$holder/exe)" = /bin/busybox ]; do usleep 100000; done
  check "load the old kernel" 0 "$old_release" load $old
  check "not finished" 4 "example.*not finished" luo kexec exec
  {
    line session finish example
    line session create example
    line file preserve example --from /tmp/disk --token 1 --digest
    line file preserve example --from /tmp/pipe --token 2 --digest
    line file preserve example --pid $holder --fd 3 --token 3 --digest
  } | all "finish, and preserve all under the same name again, a retrieved file too" '"token":"3".*"digest":"sha256:'
  # This image would drop everything, and no program can see that luo did not load it.
  if [ -n "$no_kexec_load" ]; then
    skip "kexec_load by another program over it" "$no_kexec_load"
  else
    check "kexec_load by another program over it" 0 "" other load-old
  fi
  luo kexec exec
}

case $story.$LUO_BOOT in
images.1)
  wrong_images
  exit 0
  ;;
upgrade.1)
  sh examples/real-update.sh before $new $initrd $data luo.boot=2
  ;;
upgrade.2)
  check "the agent starts" 0 "Agent started" luo agent start --timeout 300
  status 2
  check "what was handed over" 0 "From +$old_release-luo, kexec 1" luo kho show --in
  check "what would be handed over now" 0 "luo-v5, live update 2" luo kho show
  again
  ;;
upgrade.3)
  check "examples/real-update.sh" 0 "from before the kexec" sh examples/real-update.sh after /tmp/out
  status 3
  check "contents" 0 "" came_back /tmp/out
  check "both initrds came over" 0 "from the second initrd" cat /second-initrd
  check "words that were there are not added" 0 "^1$" sh -c "tr ' ' '\\n' </proc/cmdline | grep -cx quiet"
  exit 0
  ;;
others.1)
  check "the agent starts" 0 "Agent started" luo agent start --timeout 300
  keep other
  check "another program loads" 0 "" load_as_other $new
  check "its image is not executed" 4 "another program" luo kexec exec
  other exec
  ;;
others.2)
  check "the agent starts" 0 "Agent started" luo agent start --timeout 300
  status 2
  {
    line session retrieve other
    line file restore other 1 --to /tmp/disk
    line session finish other
    keep_lines killed
  } | all "retrieve, restore, finish, and preserve again" '"token":"1".*"digest":"sha256:'
  check "contents" 0 "" cmp /tmp/disk $data
  kill_agent
  check "no agent" 3 "luo agent start" luo status
  check "another agent" 0 "Agent started" luo agent start --timeout 300
  check "what the killed one lost" 0 "Lost: session .killed.*ended while it held" luo status
  keep gone
  load_as_other $new
  kill_agent
  other exec
  ;;
others.3)
  check "the agent starts" 0 "Agent started" luo agent start --timeout 300
  status 3
  keep dropped
  check "no liveupdate=on, forced" 0 "" luo kexec load $new --initrd $initrd --force \
    --command-line "console=$console quiet panic=-1 kho=on luo.boot=4"
  check "and is not executed without being forced again" 4 "lacks liveupdate=on" luo kexec exec
  luo kexec exec --force
  ;;
others.4)
  check "the agent starts without a device" 0 "absent \(ENOENT\)" luo agent start --timeout 300
  check "no device" 3 "no live update" luo session create vm1
  check "without a device the next kernel is loaded" 0 "" luo kexec load $new --initrd $initrd \
    --command-line "console=$console quiet panic=-1 kho=on liveupdate=on luo.boot=5"
  luo kexec exec
  ;;
others.5)
  check "the agent starts" 0 "Agent started" luo agent start --timeout 300
  # The next kernel has no handler for memfds, so it cannot read the session.
  {
    keep_lines unreadable
    line kexec load $new --initrd $initrd --command-line \
      "console=$console quiet panic=-1 kho=on liveupdate=on initcall_blacklist=memfd_luo_init luo.boot=6"
    line kexec exec
  } | luo batch --fail-fast
  ;;
others.6)
  check "the agent starts with a handover that cannot be read" 0 "broken \(EIO\)" luo agent start --timeout 300
  check "it says that sessions are lost" 0 "Lost: session .luo-agent.*files unknown.*EIO" luo status
  check "no session with EIO" 3 "until the next kexec" luo session create vm1
  check "the next kernel can be loaded" 0 "" luo kexec load $new --initrd $initrd --reuse-cmdline
  exit 0
  ;;
esac
echo "The kexec did not happen in boot $LUO_BOOT"
exit 1
